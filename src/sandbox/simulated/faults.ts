import type { Cause } from '../shared/failure.ts';

/**
 * What is wrong with a field, in the words of
 * k8s.io/apimachinery/pkg/util/validation/field/errors.go.
 */
export type Wrong = Cause & { readonly field: string };

export const required = (field: string, detail?: string): Wrong => ({
  reason: 'FieldValueRequired',
  message: detail === undefined ? 'Required value' : `Required value: ${detail}`,
  field,
});
export const wrong = (field: string, value: unknown, detail: string): Wrong => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
});
export const forbiddenValue = (field: string, detail: string): Wrong => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
  field,
});
export const unsupported = (field: string, value: unknown, supported: readonly string[]): Wrong => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
  field,
});
