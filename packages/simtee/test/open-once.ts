/** A process of its own that opens the directory it is given and prints who it found. */
import { openSecurityProcessor } from "../src/security-processor.ts";

const { trust } = await openSecurityProcessor(process.argv[2]!);
console.log(trust.fingerprint);
