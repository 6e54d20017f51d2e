import { createHash } from 'node:crypto';

/**
 * Ad-hoc signatures of programs for macOS, which runs no program for arm64 without a signature. As
 * `codesign --sign -` makes them, and the linker of Go (cmd/internal/codesign).
 */

const loadCommands = 32;
const segment64 = 0x19;
const codeSignature = 0x1d;
const pageBytes = 4096;
const hashBytes = 32;

/** @typedef {{ command: number, offset: number, bytes: number }} LoadCommand */

/**
 * The load commands of a Mach-O program of 64 bits (mach-o/loader.h).
 * @param {Buffer} program
 * @returns {LoadCommand[]}
 * @throws {Error} if it is another file
 */
export function loadCommandsOf(program) {
  if (program.readUInt32LE(0) !== 0xfeedfacf) throw new Error('not a Mach-O program of 64 bits');
  let offset = loadCommands;
  return Array.from({ length: program.readUInt32LE(16) }, () => {
    const found = { command: program.readUInt32LE(offset), offset, bytes: program.readUInt32LE(offset + 4) };
    offset += found.bytes;
    return found;
  });
}

/** @param {Buffer} program @param {LoadCommand} command */
export const segmentName = (program, { command, offset }) =>
  command === segment64 ? program.toString('latin1', offset + 8, offset + 24).replace(/\0+$/, '') : undefined;

/**
 * Signs a program without a signature.
 * @param {Buffer} program
 * @param {string} identifier
 * @param {number} flags adhoc by default (xnu, osfmk/kern/cs_blobs.h)
 * @returns {Buffer}
 * @throws {Error} if it has a signature, or no space for the load command
 */
export function signed(program, identifier, flags = 0x2) {
  const commands = loadCommandsOf(program);
  const linkedit = commands.find((each) => segmentName(program, each) === '__LINKEDIT');
  const text = commands.find((each) => segmentName(program, each) === '__TEXT');
  const end = loadCommands + program.readUInt32LE(20);
  if (!linkedit || !text) throw new Error('no __LINKEDIT or __TEXT segment');
  if (commands.some(({ command }) => command === codeSignature)) throw new Error('signed already');
  if (program.subarray(end, end + 16).some((byte) => byte !== 0)) throw new Error('no space for LC_CODE_SIGNATURE');

  const codeBytes = Math.ceil(program.length / 16) * 16;
  const directoryBytes = 88 + identifier.length + 1 + Math.ceil(codeBytes / pageBytes) * hashBytes;
  const signatureBytes = 20 + directoryBytes;
  const code = Buffer.alloc(codeBytes);
  program.copy(code);
  code.writeUInt32LE(program.readUInt32LE(16) + 1, 16);
  code.writeUInt32LE(program.readUInt32LE(20) + 16, 20);
  [codeSignature, 16, codeBytes, signatureBytes].forEach((value, index) => {
    code.writeUInt32LE(value, end + 4 * index);
  });
  const linkeditBytes = codeBytes + signatureBytes - Number(program.readBigUInt64LE(linkedit.offset + 40));
  code.writeBigUInt64LE(BigInt(Math.ceil(linkeditBytes / 0x4000) * 0x4000), linkedit.offset + 32);
  code.writeBigUInt64LE(BigInt(linkeditBytes), linkedit.offset + 48);
  const executable = { offset: program.readBigUInt64LE(text.offset + 40), bytes: program.readBigUInt64LE(text.offset + 48) };
  return Buffer.concat([code, superBlob(directoryBytes), codeDirectory(code, identifier, flags, executable)]);
}

/** The frame of a signature with one part, the code directory. @param {number} directoryBytes */
function superBlob(directoryBytes) {
  const blob = Buffer.alloc(20);
  [0xfade0cc0, 20 + directoryBytes, 1, 0, 20].forEach((value, index) => {
    blob.writeUInt32BE(value, 4 * index);
  });
  return blob;
}

/**
 * The hashes of the pages, CS_CodeDirectory of version 0x20400.
 * @param {Buffer} code all that precedes the signature
 * @param {string} identifier
 * @param {number} flags
 * @param {{ offset: bigint, bytes: bigint }} executable the __TEXT segment in the file
 */
function codeDirectory(code, identifier, flags, executable) {
  const pages = Math.ceil(code.length / pageBytes);
  const header = Buffer.alloc(88);
  const hashOffset = header.length + identifier.length + 1;
  const bytes = hashOffset + pages * hashBytes;
  [0xfade0c02, bytes, 0x20400, flags, hashOffset, header.length, 0, pages, code.length].forEach((value, index) => {
    header.writeUInt32BE(value, 4 * index);
  });
  // The size of a hash, SHA-256, no platform, and the size of a page as a power of two.
  header.set([hashBytes, 2, 0, 12], 36);
  header.writeBigUInt64BE(executable.offset, 64);
  header.writeBigUInt64BE(executable.bytes, 72);
  // CS_EXECSEG_MAIN_BINARY
  header.writeBigUInt64BE(1n, 80);
  const hashes = Array.from({ length: pages }, (_, page) =>
    createHash('sha256')
      .update(code.subarray(page * pageBytes, (page + 1) * pageBytes))
      .digest(),
  );
  return Buffer.concat([header, Buffer.from(`${identifier}\0`, 'latin1'), ...hashes]);
}
