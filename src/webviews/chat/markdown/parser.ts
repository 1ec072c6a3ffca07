import MarkdownIt from 'markdown-it';

const parser = new MarkdownIt('default', { html: false, linkify: true, typographer: false, breaks: false });
// Links are kept as written and judged when they are drawn (links.ts): dropped here, a dead link would lose its text's meaning.
parser.validateLink = () => true;
parser.normalizeLink = (url: string) => url;
parser.normalizeLinkText = (url: string) => url;
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false });

export type Token = ReturnType<typeof parser.parse>[number];
/** What a parse carries to the next: link definitions seen so far. */
export type ParseEnv = NonNullable<Parameters<typeof parser.parse>[1]>;

export const parseMarkdown = (source: string, env: ParseEnv): Token[] => parser.parse(source, env);
