import type { Target } from './targets.d.mts';

/** @param timeout - of the download, in milliseconds */
export function nodeBinary(wanted: Pick<Target, 'package' | 'version' | 'sha256'>, timeout?: number): string;
export function licenceOf(program: string): string;
export function sha256Of(file: string): string;
