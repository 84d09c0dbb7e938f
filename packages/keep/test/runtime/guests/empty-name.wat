;; Exports its entry under the empty name, as Enarx programs may.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "") (call $proc_exit (i32.const 4))))
