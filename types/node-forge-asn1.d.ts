/** The only module of node-forge in use, with options that @types/node-forge does not declare. */
declare module 'node-forge/lib/asn1.js' {
  import type { asn1 } from 'node-forge';

  const part: Omit<typeof asn1, 'fromDer'> & {
    fromDer(bytes: string, options: { readonly decodeBitStrings: boolean; readonly maxDepth: number }): asn1.Asn1;
  };
  export default part;
}
