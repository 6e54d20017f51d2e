/** The distribution as package URLs name it, such as `debian` and `12`. */
export function distribution(): { readonly id: string; readonly release: string };
