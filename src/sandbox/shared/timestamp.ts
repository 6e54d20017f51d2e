/** An RFC 3339 time in UTC, in seconds (k8s.io/apimachinery/pkg/apis/meta/v1/time.go). */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
