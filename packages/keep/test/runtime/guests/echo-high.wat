;; Copies stdin to stdout in pieces of 64 KiB, each by another place of a memory of 4 GiB: over its middle, at 3 GiB and an odd
;; address, and at its very end.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 65536)
  ;; The places, from 16 on.
  (data (i32.const 16) "\01\80\ff\7f" "\03\00\00\c0" "\00\00\ff\ff")
  (func (export "_start") (local $left i32) (local $turn i32)
    (loop $read
      (i32.store (i32.const 0) (i32.load (i32.add (i32.const 16) (i32.mul (i32.const 4) (i32.rem_u (local.get $turn) (i32.const 3))))))
      (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $proc_exit (i32.const 1))))
      (local.set $left (i32.load (i32.const 8)))
      (if (i32.eqz (local.get $left)) (then (return)))
      (loop $write
        (i32.store (i32.const 4) (local.get $left))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $proc_exit (i32.const 2))))
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 8))))
        (local.set $left (i32.sub (local.get $left) (i32.load (i32.const 8))))
        (br_if $write (local.get $left)))
      (br $read))))
