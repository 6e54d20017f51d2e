import * as z from 'zod';
import { snapshotSchema } from '../snapshot/schema.ts';
import { diagnosisListSchema, diagnosisSchema } from './schema.ts';

const titles = {
  diagnosis: ['Diagnosis', 'The output of apisvc verify and apisvc lint with -o json or -o yaml.', diagnosisSchema],
  'diagnosis-list': [
    'DiagnosisList',
    'The output of apisvc verify with -o json or -o yaml, and several --context flags or a pattern.',
    diagnosisListSchema,
  ],
  snapshot: ['Snapshot', 'The file that apisvc verify --save writes and apisvc verify --from reads.', snapshotSchema],
} as const;

/** The JSON Schemas of the output and the snapshots of verify, by file name without extension. */
export const jsonSchemaTexts = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(titles).map(([name, [title, description, schema]]) => {
      // `input` is the shape of the file. It allows unknown keys, which a later version may add.
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
      return [name, `${JSON.stringify({ $schema, title, description, ...rest }, undefined, 2)}\n`];
    }),
  );
