import { diagnostics, fileSymbols, findReferences, findSymbol, relatedFiles } from './codeTools.js';
import { listFiles, readFile, searchText } from './fileTools.js';
import { gitBlame, gitDiff, gitLog, gitStatus } from './gitTools.js';
import type { McpTool } from './tool.js';
import { listTasks, openEditors, proposeEdit, runCommand, runTask } from './windowTools.js';

/** In the order in which clients see them. Under 25, so that no client needs to search among them. */
const all: readonly McpTool[] = [
  listFiles, readFile, searchText, findSymbol, findReferences, relatedFiles, fileSymbols, diagnostics, openEditors,
  gitStatus, gitDiff, gitLog, gitBlame, proposeEdit, listTasks, runTask, runCommand,
];

export const toolsFor = (window: boolean): readonly McpTool[] => (window ? all : all.filter((tool) => tool.needsWindow !== true));
