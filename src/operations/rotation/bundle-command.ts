import { shellWord } from '../../config/shell-word.ts';
import type { Rotation } from './rotation.ts';

/** The command that prints a caBundle with the CAs of both sets, for whoever owns it. */
export const bundleCommand = ({ caFiles }: Pick<Rotation, 'caFiles'>): string =>
  `cat ${caFiles.map(shellWord).join(' ')} | base64 | tr -d '\\n'`;
