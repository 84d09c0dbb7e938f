/** The distinguished name of every party here: whatever prints it says what it is. */
export function simulatedName(commonName: string): string {
  return `OU=SIMULATED, O=Donjon, CN=${commonName}`;
}
