/** A made-up AWS for tests: `@donjon/testkit/nitro`. */
export {
  type BadNitroDocument,
  badNitroDocuments,
  type DocumentOptions,
  type FakeNitro,
  makeFakeNitro,
  makeNitroDocument,
  makeNitroLeaf,
  NITRO_NOW,
} from "./nitro/vendor.ts";
