import type { LoupeError } from './errors.js';

/** A value or an error as plain data: what crosses a process border instead of an exception. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: LoupeError };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const err = <T = never>(error: LoupeError): Result<T> => ({ ok: false, error });
