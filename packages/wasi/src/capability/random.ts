/** Fills `memory[offset..offset+length]` with bytes fit for keys. The range has been checked. */
export interface Random {
  fill(memory: Uint8Array, offset: number, length: number): void;
}
