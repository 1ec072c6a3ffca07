import { render } from 'preact';
import type { HostToTrace, TraceToHost } from '../../protocol/views.js';
import { connectToHost } from '../shared/hostApi.js';
import '../shared/base.css';
import './trace.css';
import { App } from './app.js';

const root = document.getElementById('root');
if (root) render(<App host={connectToHost<HostToTrace, TraceToHost>()} />, root);
