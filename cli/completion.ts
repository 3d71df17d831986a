import type { ArgumentRow, CommandWords, OptionRow } from "./command.ts";

/*
 * Scripts that complete commands, options and their choices in a shell. They hold every word, because asking this program at each
 * Tab would take as long as it takes to start Node.
 */

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The name that is completed: the package's bin, or an alias of that name. */
const program = "studio-runner";

interface Words {
  readonly commands: readonly CommandWords[];
  /** Options of every command. */
  readonly options: readonly OptionRow[];
}

export function completionScript(shell: Shell, words: Words): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](words);
}

const nameOf = ({ flags }: OptionRow): string => flags.split(" ")[0] ?? "";
const takesValue = ({ flags }: OptionRow): boolean => flags.includes("<");
const choicesOf = (rows: readonly ArgumentRow[] = []): readonly string[] => rows[0]?.choices ?? [];

/** `secrets` of `secrets set`. */
const groupsOf = (commands: readonly CommandWords[]): readonly string[] => [
  ...new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : []))),
];

/** The words that can follow each beginning of a command line: `` → every command, `secrets` → `set`. */
function nextWords({ commands, options }: Words): readonly (readonly [string, readonly string[]])[] {
  const common = options.map(nameOf);
  const groups = groupsOf(commands);
  const firsts = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? "")), "help"];
  return [
    ["", [...firsts, ...common, "--version", "--help"]],
    ["help", firsts],
    ...groups.flatMap((group) => {
      const own = commands.filter(({ name }) => name.startsWith(`${group} `));
      const rest = own.map(({ name }) => name.slice(group.length + 1));
      return [[group, rest] as const, [`help ${group}`, rest] as const];
    }),
    ...commands.map(({ name, arguments: rows, options: own = [] }) => {
      const names = [...own.map(nameOf), ...common, "--help"];
      return [name, [...choicesOf(rows), ...names]] as const;
    }),
  ];
}

/** The choices of options: `jobs --state` → `leased`, `running` … */
const optionChoices = ({ commands }: Words): readonly (readonly [string, readonly string[]])[] =>
  commands.flatMap(({ name, options = [] }) =>
    options.flatMap((option) =>
      option.choices === undefined ? [] : [[`${name} ${nameOf(option)}`, option.choices] as const],
    ),
  );

const caseOf = ([when, then]: readonly [string, readonly string[]]): string =>
  `    "${when}") choices="${then.join(" ")}" ;;`;

/** The part that bash and zsh have in common: finds the command, and puts what can follow into `choices`. */
function body(words: Words, typed: string): string {
  const all = [...words.options, ...words.commands.flatMap(({ options = [] }) => options)];
  const valued = [...new Set(all.filter(takesValue).map(nameOf))].join("|");
  const groups = groupsOf(words.commands).join("|");
  return [
    '  local command="" previous="" choices="" word',
    `  for word in ${typed}; do`,
    '    case "$previous" in',
    `      ${valued}) previous=""; continue ;;`,
    "    esac",
    '    previous="$word"',
    '    case "$word" in -*) continue ;; esac',
    '    case "$command" in',
    '      "") command="$word" ;;',
    `      help|${groups}) command="$command $word" ;;`,
    "    esac",
    "  done",
    '  case "$command $previous" in',
    ...optionChoices(words).map(caseOf),
    `    *" "${valued.replaceAll("|", '|*" "')}) return ;;`,
    "  esac",
    '  [ -n "$choices" ] || case "$command" in',
    ...nextWords(words).map(caseOf),
    "  esac",
  ].join("\n");
}

const bashScript = (words: Words): string => `# In ~/.bashrc: eval "$(${program} completion bash)"
_studio_runner() {
${body(words, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _studio_runner ${program}`;

const zshScript = (words: Words): string => `#compdef ${program}
# In ~/.zshrc, after compinit: eval "$(${program} completion zsh)"
_studio_runner() {
${body(words, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=choices}
}
compdef _studio_runner ${program}`;

function fishScript({ commands, options }: Words): string {
  const line = (condition: string, what: string, meaning: string): string =>
    `complete -c ${program} ${condition}${what} -d ${quoted(meaning)}`;
  const option = (condition: string, row: OptionRow): string => {
    const value = takesValue(row) ? ` -x${row.choices ? ` -a ${quoted(row.choices.join(" "))}` : ""}` : "";
    return line(condition, `-l ${nameOf(row).slice(2)}${value}`, row.meaning);
  };
  return [
    `# In ~/.config/fish/config.fish: ${program} completion fish | source`,
    `complete -c ${program} -f`,
    ...options.map((row) => option("", row)),
    ...commands.flatMap(({ name, summary, arguments: rows, options: own = [] }) => {
      const [first = "", second] = name.split(" ");
      const within = `-n "__fish_seen_subcommand_from ${first}" `;
      const choices = choicesOf(rows);
      return [
        line("-n __fish_use_subcommand ", `-a ${first}`, summary),
        ...(second === undefined ? [] : [line(within, `-a ${second}`, summary)]),
        ...(choices.length === 0
          ? []
          : [line(within, `-a ${quoted(choices.join(" "))}`, rows?.[0]?.meaning ?? "")]),
        ...own.map((row) => option(within, row)),
      ];
    }),
  ].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
