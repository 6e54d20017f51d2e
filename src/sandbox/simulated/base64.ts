/**
 * Where Go's encoding/base64 stops at a text that is not base64 with padding; line ends count for nothing.
 * @returns the offset that its CorruptInputError names; undefined for sound base64
 */
export function base64Fault(text: string): number | undefined {
  const odd = text.search(/[^A-Za-z0-9+/\r\n]/);
  const digits = (odd < 0 ? text : text.slice(0, odd)).replace(/[\r\n]/g, '').length % 4;
  if (odd < 0) return digits === 0 ? undefined : text.length - digits;
  if (text[odd] !== '=' || digits < 2) return odd;
  let end = afterLineEnds(text, odd + 1);
  if (digits === 2) {
    if (end === text.length) return end;
    if (text[end] !== '=') return end - 1;
    end = afterLineEnds(text, end + 1);
  }
  return end < text.length ? end : undefined;
}

const afterLineEnds = (text: string, from: number): number => {
  const rest = text.slice(from).search(/[^\r\n]/);
  return rest < 0 ? text.length : from + rest;
};
