const { permission } = process as unknown as {
  readonly permission?: {
    drop(scope: string): void;
    has(scope: string, path: string): boolean;
  };
};

/** Whether the engine was started with the right to read below `path`; `false` where it has no permission model. */
export function mayRead(path: string): boolean {
  return permission?.has("fs.read", path) ?? false;
}

/**
 * Gives up, for the calling thread and for good, what the engine's command line had to allow.
 *
 * Two gaps of the engine (Node 26.10) are why: a worker made from source text may read everything below the working
 * directory, and a worker started with an `execArgv` of its own has no permission model at all. So every
 * thread gives up reading files, the worker also writing them (only a security processor is ever written to), and every thread that needs no further workers gives up those.
 */
export function dropPermissions(...scopes: readonly ("fs.read" | "fs.write" | "worker")[]): void {
  // Without `--permission` (tests run from the sources) there is nothing to give up.
  for (const scope of scopes) permission?.drop(scope);
}
