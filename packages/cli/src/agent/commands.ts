/** What `donjon agent` does, in a file of its own (tools/build.ts): no other command loads it. */
export { endAgent, serveAgent } from "./serve.ts";
export { addToken, listTokens, removeToken, setToken } from "./tokens.ts";
