import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test } from 'vitest';
import { startSession } from '../docs/session.ts';
import { expectTranscript, transcriptsOf } from '../docs/transcripts.ts';

/** Transcripts that need no cluster. `npm run docs` rewrites those that differ. */
test.each(transcriptsOf('cli'))('%s shows the real output', async (_, transcripts) => {
  const folder = mkdtempSync(join(tmpdir(), 'apisvc-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const session = startSession(folder);
  for (const each of transcripts) await expectTranscript(each, session.run);
});
