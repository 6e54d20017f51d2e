/**
 * The only door to the sandbox: nothing outside this folder imports another module of it. Values
 * here are cheap constants. `loadSandbox` loads the rest, so that other commands do not pay for it.
 */
export type { ProgramOf } from './node/types.ts';
export type { Sandbox } from './sandbox.ts';
export { contextNames, type Engine, engineKinds, type KubernetesImitated, kubernetesImitated } from './shared/engine.ts';
export type { Program } from './shared/program.ts';

/** Loads what starts a sandbox and what runs in it. */
export const loadSandbox = () => import('./sandbox.ts');
