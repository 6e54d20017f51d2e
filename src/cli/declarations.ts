import type { Command } from 'commander';
import type { Run } from './action.ts';
import { addCompletion } from './declarations/completion.ts';
import { addExplain } from './declarations/explain.ts';
import { addInit } from './declarations/init.ts';
import { addLint } from './declarations/lint.ts';
import { addMonitor } from './declarations/monitor.ts';
import { addRegister } from './declarations/register.ts';
import { addRender } from './declarations/render.ts';
import { addRotate } from './declarations/rotate.ts';
import { addSandbox } from './declarations/sandbox.ts';
import { addSecure } from './declarations/secure.ts';
import { addStatus } from './declarations/status.ts';
import { addUnregister } from './declarations/unregister.ts';
import { addVerify } from './declarations/verify.ts';

/**
 * Adds the subcommands with their flags and help. Their actions are in src/commands, imported when
 * one runs.
 */
export function addCommands(program: Command, run: Run): void {
  addInit(program, run);
  addRender(program, run);
  addRegister(program, run);
  addRotate(program, run);
  addSecure(program, run);
  addUnregister(program, run);
  addVerify(program, run);
  addStatus(program, run);
  addMonitor(program, run);
  addLint(program, run);
  addExplain(program, run);
  addSandbox(program, run);
  addCompletion(program, run);
}
