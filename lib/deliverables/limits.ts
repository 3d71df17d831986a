/**
 * Every cap of studio-api.md, "Deliverables". Lengths are UTF-16 code units, as Studio counts them. The page
 * does not give caps for `table.columnChars` and `file.nameChars`; the public runner silently cuts text at
 * these lengths, so longer text is refused.
 */
export const limits = {
  /** Maximum number of deliverables in one payload, by payload key. All six chart types share `charts`. */
  most: { files: 24, charts: 12, datasets: 8, svgs: 8, lists: 12, checklists: 8 },
  assistantMessageChars: 24_000,
  idChars: 64,
  titleChars: 200,
  labelChars: 128,
  seriesNameChars: 64,
  pie: { segments: 24 },
  seriesChart: { labels: 32, series: 8 },
  scatter: { series: 6, points: 48 },
  table: { columns: 12, columnChars: 64, rows: 80, cellChars: 512 },
  list: { items: 48, itemChars: 512 },
  checklist: { items: 64, labelChars: 320, itemIdChars: 48 },
  svg: { chars: 64_000 },
  file: { chars: 48_000, nameChars: 160, folders: 4, segmentChars: 48 },
} as const;
