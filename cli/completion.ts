import type { CommandWords, OptionRow } from "./command.ts";

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
const takesFolder = ({ flags }: OptionRow): boolean => flags.includes("<folder>");
const choicesOf = ({ arguments: rows = [] }: CommandWords): readonly string[] => rows[0]?.choices ?? [];
const help: CommandWords = { name: "help", summary: "Shows the help of a command", examples: [] };
const helpOption: OptionRow = { flags: "--help", meaning: "show the help" };
const versionOption: OptionRow = { flags: "--version", meaning: "print the versions" };

/** The commands' first words, each once. */
const firstsOf = (commands: readonly CommandWords[]): readonly CommandWords[] =>
  commands
    .map((command) => ({ ...command, name: command.name.split(" ")[0] ?? "" }))
    .filter(({ name }, at, all) => all.findIndex((other) => other.name === name) === at);

/** `secrets` of `secrets set`. */
const groupsOf = (commands: readonly CommandWords[]): readonly string[] =>
  firstsOf(commands.filter(({ name }) => name.includes(" "))).map(({ name }) => name);

/** Commands with choices for their argument. A `+` follows the command once it is given, or while an option is typed. */
const closedOf = (commands: readonly CommandWords[]): readonly string[] =>
  commands.filter((command) => choicesOf(command).length > 0).map(({ name }) => name);

const valuedOf = ({ commands, options }: Words): readonly string[] => {
  const all = [...options, ...commands.flatMap(({ options: own = [] }) => own)];
  return [...new Set(all.filter(takesValue).map(nameOf))];
};

/** The words that can follow each beginning of a command line: `` → every command, `secrets` → `set`. */
function nextWords({ commands, options }: Words): readonly (readonly [string, readonly string[]])[] {
  const common = options.map(nameOf);
  const firsts = [...firstsOf(commands), help].map(({ name }) => name);
  return [
    ["", firsts],
    [" +", [...common, "--version", "--help"]],
    ["help", firsts],
    ...groupsOf(commands).flatMap((group) => {
      const own = commands.filter(({ name }) => name.startsWith(`${group} `));
      const rest = own.map(({ name }) => name.slice(group.length + 1));
      return [[group, rest] as const, [`help ${group}`, rest] as const];
    }),
    ...commands.flatMap((command) => {
      const { name, options: own = [] } = command;
      const choices = choicesOf(command);
      const names = [...own.map(nameOf), ...common, "--help"];
      return choices.length === 0
        ? [[name, names] as const]
        : [[name, choices] as const, [`${name} +`, names] as const];
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

interface Dialect {
  /** The words before the one that is being typed. */
  readonly typed: string;
  readonly typing: string;
  /** Completes the name of a folder. */
  readonly folder: string;
}

/** A pattern for these options after any command. */
const anywhere = (names: readonly string[]): string => names.map((name) => `*" "${name}`).join("|");

/** The part that bash and zsh have in common: finds the command, and puts what can follow into `choices`. */
function body(words: Words, { typed, typing, folder }: Dialect): string {
  const { commands, options } = words;
  const valued = valuedOf(words);
  const closed = closedOf(commands)
    .map((name) => `|"${name}"`)
    .join("");
  return [
    '  local command="" previous="" choices="" word',
    `  for word in ${typed}; do`,
    '    case "$previous" in',
    `      ${valued.join("|")}) previous=""; continue ;;`,
    "    esac",
    '    previous="$word"',
    '    case "$word" in -*) continue ;; esac',
    '    case "$command" in',
    '      "") command="$word" ;;',
    `      help|${groupsOf(commands).join("|")}) command="$command $word" ;;`,
    `      ${closed.slice(1)}) command="$command +" ;;`,
    "    esac",
    "  done",
    `  case "${typing}" in -*) case "$command" in ""${closed}) command="$command +" ;; esac ;; esac`,
    '  case "$command $previous" in',
    ...optionChoices(words).map(caseOf),
    `    ${anywhere(options.filter(takesFolder).map(nameOf))}) ${folder}; return ;;`,
    `    ${anywhere(valued)}) return ;;`,
    "  esac",
    '  [ -n "$choices" ] || case "$command" in',
    ...nextWords(words).map(caseOf),
    "  esac",
  ].join("\n");
}

const bashScript = (words: Words): string => `# In ~/.bashrc: eval "$(${program} completion bash)"
_studio_runner() {
${body(words, { typed: `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`, typing: "${COMP_WORDS[COMP_CWORD]}", folder: ":" })}
  COMPREPLY=($(compgen -W "$choices" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _studio_runner ${program}`;

const zshScript = (
  words: Words,
): string => `# In ~/.zshrc, after compinit: eval "$(${program} completion zsh)"
_studio_runner() {
${body(words, { typed: '"${(@)words[2,CURRENT-1]}"', typing: "${words[CURRENT]}", folder: "_files -/" })}
  compadd -- \${=choices}
}
compdef _studio_runner ${program}`;

function fishScript(words: Words): string {
  const { commands, options } = words;
  const line = (at: string | undefined, what: string, meaning: string): string =>
    `complete -c ${program} ${at === undefined ? "" : `-n "__studio_runner_at ${at}" `}${what} -d ${quoted(meaning)}`;
  const option = (at: string | undefined, row: OptionRow): string => {
    const choices = row.choices ? ` -a ${quoted(row.choices.join(" "))}` : "";
    const value = takesFolder(row) ? " -rF" : takesValue(row) ? ` -x${choices}` : "";
    return line(at, `-l ${nameOf(row).slice(2)}${value}`, row.meaning);
  };
  const firsts = [...firstsOf(commands), help];
  return [
    `# In ~/.config/fish/config.fish: ${program} completion fish | source`,
    ...atFunction(words),
    `complete -c ${program} -f`,
    ...[...options, helpOption].map((row) => option(undefined, row)),
    option("''", versionOption),
    ...["''", "help"].flatMap((at) => firsts.map(({ name, summary }) => line(at, `-a ${name}`, summary))),
    ...commands.flatMap((command) => {
      const { name, summary, arguments: rows = [], options: own = [] } = command;
      const [first = "", second] = name.split(" ");
      const choices = choicesOf(command);
      const subcommand = [first, `help ${first}`].map((at) => line(quoted(at), `-a ${second}`, summary));
      const argument = line(quoted(name), `-a ${quoted(choices.join(" "))}`, rows[0]?.name ?? "");
      return [
        ...(second === undefined ? [] : subcommand),
        ...(choices.length === 0 ? [] : [argument]),
        ...own.map((row) => option(`${quoted(name)} ${quoted(`${name} +`)}`, row)),
      ];
    }),
  ].join("\n");
}

/** Whether one of the arguments is the command that has been typed. */
const atFunction = (words: Words): readonly string[] => [
  "function __studio_runner_at",
  "  set -l command ''",
  "  set -l previous ''",
  "  for word in (commandline -opc)[2..]",
  `    if contains -- "$previous" ${valuedOf(words).join(" ")}`,
  "      set previous ''",
  "      continue",
  "    end",
  "    set previous $word",
  "    string match -q -- '-*' $word; and continue",
  `    if test -z "$command"`,
  "      set command $word",
  `    else if contains -- $command help ${groupsOf(words.commands).join(" ")}`,
  '      set command "$command $word"',
  `    else if contains -- $command ${closedOf(words.commands).map(quoted).join(" ")}`,
  '      set command "$command +"',
  "    end",
  "  end",
  "  contains -- $command $argv",
  "end",
];

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
