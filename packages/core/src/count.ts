/** A number of things: `1 Keep`, `2 Keeps`. For nouns whose plural takes an s. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
