/** Time, as a workload may see it. All values are nanoseconds. */
export interface Clock {
  /** Since 1970-01-01T00:00:00Z. Inside a Keep this is a claim of the host; see DESIGN section 4. */
  realtime(): bigint;
  /** Never goes back; its origin is arbitrary. */
  monotonic(): bigint;
  /** CPU time used by the instance. */
  processCpu(): bigint;
  /** CPU time used by the calling thread. */
  threadCpu(): bigint;
  /** Resolution of the clocks above, the same for all. */
  readonly resolution: bigint;
}
