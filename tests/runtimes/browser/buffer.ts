/** `Buffer` for a page: what tests and fake vendors use to write hexadecimal and base64. The verifier itself uses none. */
class PageBuffer extends Uint8Array {
  override toString(encoding = "utf8"): string {
    const latin1 = Array.from(this, (octet) => String.fromCharCode(octet)).join("");
    switch (encoding) {
      case "hex":
        return Array.from(this, (octet) => octet.toString(16).padStart(2, "0")).join("");
      case "base64":
        return btoa(latin1);
      case "base64url":
        return btoa(latin1).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
      case "latin1":
        return latin1;
      default:
        return new TextDecoder().decode(this);
    }
  }
}

function octetsOf(text: string, encoding: string): Uint8Array | number[] {
  const latin1 = (letters: string) => Array.from(letters, (letter) => letter.charCodeAt(0));
  switch (encoding) {
    case "hex":
      return (text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
    case "base64":
    case "base64url":
      return latin1(atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/\s/g, "")));
    case "latin1":
      return latin1(text);
    default:
      return new TextEncoder().encode(text);
  }
}

export const Buffer = {
  from: (value: string | ArrayBuffer | ArrayLike<number>, encoding = "utf8"): PageBuffer =>
    new PageBuffer(typeof value === "string" ? octetsOf(value, encoding) : (value as ArrayBuffer)),
  alloc: (size: number, fill = 0): PageBuffer => new PageBuffer(size).fill(fill) as PageBuffer,
  concat: (parts: readonly Uint8Array[]): PageBuffer =>
    PageBuffer.from(parts.flatMap((part) => [...part])) as PageBuffer,
};
