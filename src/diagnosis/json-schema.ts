import * as z from 'zod';
import { snapshotSchema } from '../snapshot/schema.ts';
import { diagnosisListSchema, diagnosisSchema } from './schema.ts';

const titles = {
  diagnosis: ['Diagnosis', 'What apisvc verify and apisvc lint print with -o json or -o yaml.', diagnosisSchema],
  'diagnosis-list': ['DiagnosisList', 'What apisvc verify prints with -o json or -o yaml for several --context.', diagnosisListSchema],
  snapshot: ['Snapshot', 'What apisvc verify --save keeps and apisvc verify --from reads.', snapshotSchema],
} as const;

/** The JSON Schemas of what verify writes and reads, by file name without ending: always the same text for the same schema. */
export const jsonSchemaTexts = (): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(titles).map(([name, [title, description, schema]]) => {
      // `input` is the shape of the file; what is made of it in memory is nobody else's business. Unknown keys are a later version's.
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
      return [name, `${JSON.stringify({ $schema, title, description, ...rest }, undefined, 2)}\n`];
    }),
  );
