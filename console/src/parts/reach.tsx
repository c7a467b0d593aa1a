// The signature: one stroke per category in catalog order (dot none, short read, tall write), and the counts it shows.
import type { Kind, Scope } from "../api/client";
import { type Words, useWords } from "../i18n";
import "./reach.css";

export type Reach = { held: number; all: number; reads: number; writes: number; deletes: number; categories: number };

export const deletes = (scope: Scope) => scope.operations.some((operation) => operation.method === "DELETE");

/** What these scopes may do, of all that the kind has. */
export function reachOf(kind: Kind, scopes: ReadonlySet<string>): Reach {
  const reach: Reach = { held: 0, all: 0, reads: 0, writes: 0, deletes: 0, categories: 0 };
  for (const category of kind.categories) {
    let any = false;
    for (const scope of category.scopes) {
      if (!category.management) reach.all += 1;
      if (!scopes.has(scope.id)) continue;
      any = true;
      reach.held += 1;
      if (scope.reads) reach.reads += 1;
      else if (deletes(scope)) reach.deletes += 1;
      else reach.writes += 1;
    }
    if (any) reach.categories += 1;
  }
  return reach;
}

/** How many operations a kind has that are no management. */
export const operationsOf = (kind: Kind) => kind.categories.filter((row) => !row.management).reduce((sum, row) => sum + row.scopes.length, 0);

export function reachText(words: Words, reach: Pick<Reach, "held" | "all" | "writes" | "deletes">): string {
  const writes = reach.writes + reach.deletes;
  if (reach.held === 0) return words.t("reach.none");
  return words.t(writes === 0 ? "reach.reads" : "reach.writes", { held: reach.held, all: reach.all, writes });
}

export function Signature({ kind, scopes, label }: { kind: Kind; scopes: ReadonlySet<string>; label: string }) {
  const categories = kind.categories.filter((category) => !category.management);
  const wide = categories.length <= 12;
  const stroke = wide ? 8 : 3.5;
  const step = wide ? 11 : 6;
  const width = categories.length * step - (step - stroke);
  return (
    <svg className="sig" viewBox={`0 0 ${width} 18`} width={width} height="18" role="img" aria-label={label}>
      {categories.map((category, index) => {
        const held = category.scopes.filter((scope) => scopes.has(scope.id));
        const reach = held.length === 0 ? "n" : held.every((scope) => scope.reads) ? "r" : "w";
        const height = reach === "n" ? 3 : reach === "r" ? 9 : 17;
        return <rect key={category.id} className={reach} x={index * step} y={18 - height} width={stroke} height={height} rx="1" />;
      })}
    </svg>
  );
}

export function SignatureKey() {
  const { t } = useWords();
  return (
    <div className="sig-key" aria-hidden="true">
      <span>
        <i className="k-none" />
        {t("key.none")}
      </span>
      <span>
        <i className="k-read" />
        {t("key.read")}
      </span>
      <span>
        <i className="k-write" />
        {t("key.write")}
      </span>
      <span>{t("key.stroke")}</span>
    </div>
  );
}
