import { type NameRule, nameFault } from '../../config/names.ts';
import type { Cause } from '../shared/failure.ts';

/** One invalid field (k8s.io/apimachinery/pkg/util/validation/field/errors.go). */
export type Fault = Cause & { readonly field: string };

export const required = (field: string, detail?: string): Fault => ({
  reason: 'FieldValueRequired',
  message: detail === undefined ? 'Required value' : `Required value: ${detail}`,
  field,
});

export const wrong = (field: string, value: unknown, detail: string): Fault => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
});

/** @returns at most one fault */
export function nameFaults(field: string, value: string, rule: NameRule): Fault[] {
  const detail = nameFault(value, rule);
  return detail === undefined ? [] : [wrong(field, value, detail)];
}
