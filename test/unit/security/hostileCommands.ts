/** Holes in parsers of commands, as they were found in products that let some commands through. Here nothing is parsed. */
export const hostileCommands: readonly string[] = [
  'ls', 'git status', 'cat a.ts', 'true', ': > pwned', 'echo x > pwned', 'echo x >> a.ts', 'echo x>|pwned', 'touch pwned', 'cp a.ts pwned', 'mv a.ts pwned', 'rm a.ts',
  'ls; touch pwned', 'ls & touch pwned', 'ls && touch pwned', 'false || touch pwned', 'ls | tee pwned', 'ls |& tee pwned', 'ls\ntouch pwned', 'ls\r\ntouch pwned',
  '$(touch pwned)', '`touch pwned`', 'echo "$(touch pwned)"', 'echo "`touch pwned`"', 'cat <(touch pwned)', 'cat <<< $(touch pwned)', 'cat <<X\n$(touch pwned)\nX',
  'x=\'$(touch pwned)\'; echo ${x@P}', 'echo ${x:=$(touch pwned)}', 'eval touch pwned', 'exec touch pwned', 'command touch pwned', 'builtin eval "touch pwned"', 'source a.ts', '. ./a.ts',
  'find . -exec touch pwned \\;', 'find . -name a.ts -delete', 'find . -fprint pwned', 'xargs touch <<< pwned', 'env touch pwned', 'nice touch pwned', 'timeout 1 touch pwned', 'sh -c "touch pwned"', 'bash -c "touch pwned"',
  'git -c core.pager="touch pwned" -p log', 'git -c alias.x="!touch pwned" x', 'git diff --ext-diff', 'git grep --open-files-in-pager="touch pwned" x', 'git log --output=pwned', 'git branch --edit-description',
  'rg --pre "touch pwned" x', 'rg --hostname-bin "touch pwned" x', 'sed -i s/x/y/ a.ts', 'sed "1e touch pwned" a.ts', 'sed "w pwned" a.ts', 'awk "BEGIN { system(\\"touch pwned\\") }"', 'sort -o pwned a.ts', 'tar --to-command="touch pwned" -xf x',
  'npx -c "touch pwned"', 'npm test --prefix /', 'make -f /dev/stdin <<< "x:;touch pwned"', 'python3 -c "open(\'pwned\',\'w\')"', 'node -e "require(\'fs\').writeFileSync(\'pwned\',\'\')"', 'PAGER="touch pwned" git log', 'LD_PRELOAD=./x.so ls', 'export PAGER="touch pwned"; git branch',
  `grep x README ;${' '.repeat(500)}touch pwned`, 'ls #\u2028touch pwned', 'l\\\ns', '\ttouch pwned',
];
