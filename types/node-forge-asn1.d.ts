/**
 * The one part of node-forge that is loaded, with the options that @types/node-forge leaves out.
 */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  const part: Omit<typeof asn1, 'fromDer'> & {
    fromDer(bytes: string, options: { readonly decodeBitStrings: boolean; readonly maxDepth: number }): asn1.Asn1;
  };
  export default part;
}
