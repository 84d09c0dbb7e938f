/** A process of its own that opens the directory it is given and prints who it found, and whether certificates were issued for that. */
import { openSecurityProcessor } from "../src/security-processor.ts";

const { trust } = await openSecurityProcessor(process.argv[2]!);
// The library that writes certificates brings a polyfill, which shows that it was loaded.
console.log(JSON.stringify({ fingerprint: trust.fingerprint, issued: "getMetadata" in Reflect }));
