;; Starts four threads; each adds 1,000 to a counter and writes one byte. With one argument the program
;; waits for them and exits with the counter / 100; with two the last thread traps, with three it exits with 5.
(module $threads
  (import "env" "memory" (memory 1 16 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (export "memory" (memory 0))
  (func $add (local $i i32)
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 128) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 1000)))))
  (func (export "wasi_thread_start") (param $id i32) (param $argument i32)
    (local $at i32)
    (local.set $at (i32.mul (local.get $argument) (i32.const 64)))
    (call $add)
    (i32.store8 (i32.add (local.get $at) (i32.const 1024)) (i32.add (i32.const 65) (local.get $argument)))
    (i32.store (i32.add (local.get $at) (i32.const 1028)) (i32.add (local.get $at) (i32.const 1024)))
    (i32.store (i32.add (local.get $at) (i32.const 1032)) (i32.const 1))
    (drop (call $fd_write (i32.const 1) (i32.add (local.get $at) (i32.const 1028)) (i32.const 1) (i32.add (local.get $at) (i32.const 1036))))
    (if (i32.eq (local.get $argument) (i32.const 3))
      (then
        (if (i32.eq (i32.load (i32.const 0)) (i32.const 2)) (then (unreachable)))
        (if (i32.eq (i32.load (i32.const 0)) (i32.const 3)) (then (call $proc_exit (i32.const 5))))))
    (drop (i32.atomic.rmw.add (i32.const 132) (i32.const 1)))
    (drop (memory.atomic.notify (i32.const 132) (i32.const 1))))
  (func (export "_start") (local $i i32) (local $done i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (loop $start
      (if (i32.lt_s (call $spawn (local.get $i)) (i32.const 1)) (then (call $proc_exit (i32.const 90))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $start (i32.lt_u (local.get $i) (i32.const 4))))
    (loop $wait
      (local.set $done (i32.atomic.load (i32.const 132)))
      (if (i32.lt_u (local.get $done) (i32.const 4)) (then
      (drop (memory.atomic.wait32 (i32.const 132) (local.get $done) (i64.const -1)))))
      (br_if $wait (i32.lt_u (i32.atomic.load (i32.const 132)) (i32.const 4))))
    (call $proc_exit (i32.div_u (i32.atomic.load (i32.const 128)) (i32.const 100)))))
