/** What a Keep that fails may say where the host hears it. */

/**
 * Kind and place of an error. Never its message: that may quote what the Keep was working on, such as a manifest or a
 * secret.
 */
export function describeDefect(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message, stack = "" } = error;
  const quoted = stack.indexOf(message);
  const frames = quoted === -1 ? -1 : stack.indexOf("\n    at ", quoted + message.length);
  return frames === -1 ? name : name + stack.slice(frames);
}
