import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ChatToHost } from '../../protocol/views.js';

/** Sends a message to the extension host; the only thing that parts of the view can do to the world. */
export type Send = (message: ChatToHost) => void;

const SendContext = createContext<Send>(() => undefined);
export const SendProvider = SendContext.Provider;
export const useSend = (): Send => useContext(SendContext);
