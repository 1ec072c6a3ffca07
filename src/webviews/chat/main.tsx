import { render } from 'preact';
import type { ChatToHost, HostToChat } from '../../protocol/views.js';
import { connectToHost } from '../shared/hostApi.js';
import '../shared/base.css';
import './chat.css';
import './turns.css';
import './markdown.css';
import './cards.css';
import './composer.css';
import { App } from './app.js';
import { ChatStore } from './model/store.js';

const host = connectToHost<HostToChat, ChatToHost>();
const store = new ChatStore({ request: (callback) => requestAnimationFrame(callback), cancel: (handle) => cancelAnimationFrame(handle) });
host.onMessage((message) => store.dispatch(message));
const root = document.getElementById('root');
if (root) render(<App store={store} send={(message) => host.post(message)} />, root);
host.post({ type: 'ready' });
