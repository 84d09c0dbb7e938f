;; Accepts as many connections as it has arguments and keeps all; then sends each one byte back, and exits.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $sock_recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $sock_send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (func $fail (param $code i32) (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (local.get $code)))))
  (func (export "_start") (local $wanted i32) (local $i i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (local.set $wanted (i32.load (i32.const 0)))
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 1))
    (loop $accept
      (call $fail (i32.const 1) (call $sock_accept (i32.const 3) (i32.const 0)
        (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $accept (i32.lt_u (local.get $i) (local.get $wanted))))
    (local.set $i (i32.const 0))
    (loop $answer
      (call $fail (i32.const 2) (call $sock_recv
        (i32.load (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))))
        (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 12)))
      (call $fail (i32.const 3) (call $sock_send
        (i32.load (i32.add (i32.const 65536) (i32.mul (local.get $i) (i32.const 4))))
        (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $answer (i32.lt_u (local.get $i) (local.get $wanted))))))
