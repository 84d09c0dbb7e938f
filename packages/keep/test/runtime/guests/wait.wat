;; Waits for ever in a call that the number of its arguments chooses; says so on stderr first.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $n i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (local.set $n (i32.load (i32.const 0)))
    ;; one iovec: 1 byte at 1024
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 1))
    (drop (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8)))
    (if (i32.eq (local.get $n) (i32.const 1))
      (then (drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 8)))))
    ;; a subscription at 64: clock, monotonic, one hour; the next at 112: fd_read of stdin
    (i32.store (i32.const 80) (i32.const 1))
    (i64.store (i32.const 88) (i64.const 3600000000000))
    (i32.store8 (i32.const 120) (i32.const 1))
    (if (i32.eq (local.get $n) (i32.const 2))
      (then (drop (call $poll_oneoff (i32.const 64) (i32.const 256) (i32.const 2) (i32.const 8)))))
    (if (i32.eq (local.get $n) (i32.const 3))
      (then (drop (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 8)))))
    (if (i32.eq (local.get $n) (i32.const 4))
      (then
        (i32.store (i32.const 20) (i32.const 65536))
        (loop $write
          (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
          (br $write))))
    (call $proc_exit (i32.const 9))))
