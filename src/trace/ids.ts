import { createHash } from 'node:crypto';

/** Trace and span ids in the form OpenTelemetry wants, the same for the same turn: folding is pure. */
export const traceIdOf = (turnId: string): string => digest(turnId).slice(0, 32);
export const spanIdOf = (turnId: string, ...parts: readonly (string | number)[]): string => digest([turnId, ...parts].join('\u0000')).slice(0, 16);

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
