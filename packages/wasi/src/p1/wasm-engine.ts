/**
 * What we use of the WebAssembly JavaScript API. The type libraries of browsers and of Node each
 * have another part of it, so it is spelled out here.
 * Source: WebAssembly JavaScript Interface 2.0; JavaScript Promise Integration proposal.
 */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

export interface WasmEngine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports?: Readonly<Record<string, object>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  /** Absent where there is no JSPI. */
  readonly Suspending?: new (
    imported: (...args: number[]) => unknown,
  ) => object;
  readonly promising?: (
    exported: (...args: number[]) => unknown,
  ) => (...args: number[]) => Promise<unknown>;
}

export const wasmEngine = (globalThis as unknown as { readonly WebAssembly: WasmEngine })
  .WebAssembly;
