import { describe, expect, it } from "vitest";
import { redactor } from "../../../lib/core/secret.ts";
import { parseRetryAfter } from "../../../lib/core/retry.ts";
import { clockSkewMs } from "../../../lib/studio/exchange.ts";
import { bodyWords, cleanCause, fold } from "../../../lib/studio/words.ts";

/** 2023-11-14T22:13:20Z */
const nowMs = 1_700_000_000_000;

const at = (date: string | undefined, tookMs = 0): number =>
  clockSkewMs({ sentAtMs: nowMs, receivedAtMs: nowMs + tookMs, date });

describe("clockSkewMs", () => {
  it.each([
    ["Tue, 14 Nov 2023 22:13:20 GMT", 0, 0],
    ["Tue, 14 Nov 2023 22:13:21 GMT", 0, 0], // 1.5 s may come from rounding
    ["Tue, 14 Nov 2023 22:13:22 GMT", 0, 2_500],
    ["Tue, 14 Nov 2023 22:12:20 GMT", 0, -59_500],
    ["Tue, 14 Nov 2023 22:14:20 GMT", 1_000, 60_000],
  ])("%s on a call of %s ms is a skew of %s ms", (date, tookMs, skewMs) => {
    expect(at(date, tookMs)).toBe(skewMs);
  });

  it("ignores a difference that a slow call explains", () => {
    expect(at("Tue, 14 Nov 2023 22:13:29 GMT", 10_000)).toBe(0);
    expect(at("Tue, 14 Nov 2023 22:13:31 GMT", 10_000)).toBe(6_500);
  });

  it.each([
    undefined,
    "",
    "yesterday",
    "1",
    "Fri, 14 Nov 2003 22:13:20 GMT",
    "Sat, 01 Jan 275760 00:00:00 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Wed, 15 Nov 2023 22:13:22 GMT",
  ])("is 0 without a plausible Date (%j)", (date) => {
    expect(at(date)).toBe(0);
  });
});

describe("parseRetryAfter", () => {
  it.each([
    ["120", 120_000],
    [" 3 ", 3_000],
    ["0.25", 250],
    ["Tue, 14 Nov 2023 22:13:50 GMT", 30_000],
    ["Tue, 14 Nov 2023 22:13:10 GMT", 0],
    ["-5", undefined],
    ["1e3", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %j as %s", (header, expected) => {
    expect(parseRetryAfter(header, nowMs)).toBe(expected);
  });
});

describe("an absurd Retry-After", () => {
  it.each([
    ["an epoch time in seconds", "1784000000"],
    ["an epoch time in milliseconds", "1784000000000"],
    ["25 days", "2160000"],
    ["an infinite number", "9".repeat(400)],
    ["the end of the year 9999", "Fri, 31 Dec 9999 23:59:59 GMT"],
  ])("counts as three minutes when it is %s", (_, header) => {
    expect(parseRetryAfter(header, nowMs)).toBe(180_000);
  });
});

describe("redaction", () => {
  const redact = redactor("cred-1.secret-9");

  it("removes the whole key and its secret half", () => {
    expect(redact("a cred-1.secret-9 b secret-9 c cred-1")).toBe("a [redacted] b [redacted] c cred-1");
  });

  it("removes the key before the text is cut", () => {
    expect(fold(`${"x".repeat(295)} cred-1.secret-9`, redact)).toBe(`${"x".repeat(295)} [red`);
  });

  it.each([
    ['{"error":"a","detail":"b"}', "a: b"],
    ['{"detail":[1]}', "[1]"],
    ['{"message":"x"}', ""],
    ["null", ""],
    ["{", ""],
    ["  <HTML><Title lang=en> Gone </title>", 'an HTML page titled "Gone"'],
    ["<!DOCTYPE html><title>413 Too\nLarge</title>", 'an HTML page titled "413 Too Large"'],
    ["<!doctype html><p>", "an HTML page"],
    ["some proxy", ""],
    ["<svg></svg>", ""],
  ])("turns the body %j into %j", (text, expected) => {
    expect(bodyWords(text, redact)).toBe(expected);
  });

  it("keeps a clean cause and drops one that contains the key", () => {
    const clean = new Error("reset");
    expect(cleanCause(clean, redact)).toBe(clean);
    expect(cleanCause(new Error("x", { cause: { deep: ["secret-9"] } }), redact)).toBeUndefined();
  });
});
