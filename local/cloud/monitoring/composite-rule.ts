import { ServiceError } from "../errors.ts";
import { parseExpression, type Expression, type Grammar } from "../expression.ts";
import type { AlarmState } from "./alarm-state.ts";

const grammar: Grammar = {
  what: "An alarm rule",
  operators: [["or"], ["and"]],
  prefixes: { not: 2 },
  name: /[\w$:/.-]+/,
};

const states: Readonly<Record<string, AlarmState>> = {
  ALARM: "ALARM",
  OK: "OK",
  INSUFFICIENT_DATA: "INSUFFICIENT_DATA",
};

/**
 * Whether a composite alarm's rule is true.
 * @param stateOf an alarm's state by name or ARN; undefined if there is none
 * @throws ServiceError `ValidationError`
 */
export function ruleHolds(rule: string, stateOf: (alarm: string) => AlarmState | undefined): boolean {
  const holds = (expression: Expression): boolean => {
    if (expression.kind === "unary") return !holds(expression.operand);
    if (expression.kind === "binary") {
      const { operator, left, right } = expression;
      return operator === "and" ? holds(left) && holds(right) : holds(left) || holds(right);
    }
    if (expression.kind === "name" && /^(true|false)$/i.test(expression.name)) {
      return expression.name.toLowerCase() === "true";
    }
    const [alarm] = expression.kind === "call" ? expression.args : [];
    const wanted = expression.kind === "call" ? states[expression.name.toUpperCase()] : undefined;
    if (alarm === undefined || wanted === undefined) throw refusal(`"${rule}"`);
    const id = alarm.kind === "text" ? alarm.value : alarm.kind === "name" ? alarm.name : "";
    const state = stateOf(id);
    if (state === undefined) throw refusal(`there is no alarm ${id} for "${rule}"`);
    return state === wanted;
  };
  return holds(parseExpression(rule, grammar));
}

const refusal = (problem: string): ServiceError =>
  new ServiceError("ValidationError", `An alarm rule is not understood: ${problem}`);
