// The scopes of a token: a switch for each category, a check box for each scope, search, presets, and what it adds up to.
import { memo, useMemo, useState } from "react";
import { Checkbox, Input, Label, SearchField, Switch } from "react-aria-components";
import type { Category, Kind } from "../api/client";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Tick } from "./controls";
import { Icon } from "./icon";
import { Signature, deletes, reachOf, reachText } from "./reach";
import "./scopes.css";

export type Picked = ReadonlySet<string>;

export function ScopesSummary({ kind, picked, editing }: { kind: Kind; picked: Picked; editing?: boolean }) {
  const words = useWords();
  const { t } = words;
  const reach = reachOf(kind, picked);
  const groups = kind.categories.filter((row) => !row.management).length;
  return (
    <aside className="aside" aria-label={t("scopes.summary")}>
      <div className="card pad">
        <p className="big" aria-live="polite">
          {reach.held}
          <span className="faint"> {t("scopes.of", { all: reach.all })}</span>
        </p>
        <div className="sig-wide">
          <Signature kind={kind} scopes={picked} label={reachText(words, reach)} />
        </div>
        <dl className="kv">
          <div><dt>{t("scopes.reads")}</dt><dd>{t("scopes.operations", { count: reach.reads })}</dd></div>
          <div><dt>{t("scopes.writes")}</dt><dd>{t("scopes.operations", { count: reach.writes })}</dd></div>
          <div><dt>{t("scopes.deletes")}</dt><dd>{t("scopes.operations", { count: reach.deletes })}</dd></div>
          <div><dt>{t("scopes.categories")}</dt><dd>{t("scopes.categories.of", { count: reach.categories, all: groups })}</dd></div>
        </dl>
      </div>
      {editing ? <p className="help">{t("scopes.switch")}</p> : null}
    </aside>
  );
}

export function ScopesEditor({ kind, version, picked, retired, onChange, readOnly }: { kind: Kind; version: number; picked: Picked; retired?: string[]; onChange: (picked: Picked) => void; readOnly?: boolean }) {
  const words = useWords();
  const { t } = words;
  const [search, setSearch] = useState("");
  // A category is open while its switch is on; those that hold a scope begin open.
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(kind.categories.filter((row) => row.scopes.some((scope) => picked.has(scope.id))).map((row) => row.id)));
  const wanted = search.trim().toLowerCase();
  const rows = useMemo(
    () =>
      kind.categories
        .map((row) => ({
          ...row,
          scopes: row.scopes.filter((scope) => {
            const lives = (scope.since ?? 0) <= version && (scope.until ?? Infinity) >= version;
            if (!lives && !picked.has(scope.id)) return false;
            if (!wanted) return true;
            const texts = [words.label(scope.label), words.label(row.label), scope.id, ...scope.operations.map((operation) => `${operation.method} ${operation.path}`)];
            return texts.some((found) => found.toLowerCase().includes(wanted));
          }),
        }))
        .filter((row) => row.scopes.length > 0),
    [kind, version, wanted, words, picked],
  );
  const change = (ids: string[], on: boolean) => {
    const next = new Set(picked);
    ids.forEach((id) => (on ? next.add(id) : next.delete(id)));
    onChange(next);
  };
  const toggle = (row: Category, on: boolean) => {
    const next = new Set(open);
    if (on) next.add(row.id);
    else {
      next.delete(row.id);
      change(row.scopes.map((scope) => scope.id), false);
    }
    setOpen(next);
  };
  const preset = (ids: string[]) => {
    const next = new Set([...picked].filter((id) => kind.categories.some((row) => row.management && row.scopes.some((scope) => scope.id === id))));
    ids.forEach((id) => next.add(id));
    onChange(next);
    setOpen(new Set(kind.categories.filter((row) => row.scopes.some((scope) => next.has(scope.id))).map((row) => row.id)));
  };
  return (
    <div className="scopes-editor">
      <div className="tools">
        <SearchField className="input-field grow" value={search} onChange={setSearch}>
          <Label className="sr">{t("scopes.search")}</Label>
          <span className="input">
            <Icon name="search" />
            <Input placeholder={t("scopes.search")} maxLength={100} />
          </span>
        </SearchField>
        {readOnly ? null : (
          <Button
            isDisabled={picked.size === 0 && open.size === 0}
            onPress={() => {
              onChange(new Set());
              setOpen(new Set());
            }}
          >
            {t("clearAll")}
          </Button>
        )}
      </div>
      {readOnly ? null : (
        <div className="presets" role="group" aria-label={t("scopes.presets")}>
          <span className="label faint">{t("scopes.presets")}</span>
          {kind.presets.map((row) => (
            <Button key={row.id} small onPress={() => preset(row.scopes)}>{words.label(row.label)}</Button>
          ))}
        </div>
      )}
      {retired && retired.length > 0 ? (
        <Banner icon="retired">
          {t("retired.why")}
          <span className="chips-row">
            {retired.map((id) => (
              <Chip key={id} tone="retired" icon="retired"><s className="mono">{id}</s></Chip>
            ))}
          </span>
        </Banner>
      ) : null}
      {rows.length === 0 ? (
        <div className="card empty"><h2>{t("scopes.noMatch")}</h2><p>{t("noMatch.name", { name: search })}</p></div>
      ) : (
        <div className="card clip">
          {rows.map((row) => {
            const whole = kind.categories.find((found) => found.id === row.id) ?? row;
            const held = whole.scopes.filter((scope) => picked.has(scope.id)).length;
            return (
              <CategoryRow
                key={row.id}
                row={row}
                held={held}
                all={whole.scopes.length}
                picked={picked}
                isOpen={open.has(row.id) || held > 0 || wanted !== ""}
                isOn={open.has(row.id) || held > 0}
                readOnly={readOnly ?? false}
                onToggle={(on) => toggle(whole, on)}
                onChange={change}
              />
            );
          })}
        </div>
      )}
    </div>
  );
}

function CategoryRow(props: { row: Category; held: number; all: number; picked: Picked; isOpen: boolean; isOn: boolean; readOnly: boolean; onToggle: (on: boolean) => void; onChange: (ids: string[], on: boolean) => void }) {
  const words = useWords();
  const { t } = words;
  const { row, held, all } = props;
  const name = words.label(row.label);
  const writes = row.scopes.filter((scope) => !scope.reads).length;
  return (
    <div role="group" className={props.isOn ? "cat on" : "cat"} aria-label={name}>
      <header>
        <Switch className="switch" isSelected={props.isOn} isReadOnly={props.readOnly} onChange={props.onToggle}>
          <span className="t" />
          {name}
        </Switch>
        <span className="cnt">
          {props.isOn ? t("scopes.held", { held, all }) : writes > 0 ? t("scopes.groupWrites", { count: all, writes }) : t("scopes.operations", { count: all })}
        </span>
        {row.management ? <Chip tone="line" icon="key">{t("scopes.management")}</Chip> : null}
        <span className="grow" />
        {props.isOn && !props.readOnly && !row.management && held < all ? (
          <Button look="link" small aria-label={t("scopes.tickAll.label", { name })} onPress={() => props.onChange(row.scopes.map((scope) => scope.id), true)}>{t("scopes.tickAll")}</Button>
        ) : null}
      </header>
      {props.isOpen ? (
        <ul className="scopes">
          {row.scopes.map((scope) => (
            <ScopeRow key={scope.id} scope={scope} label={words.label(scope.label)} on={props.picked.has(scope.id)} readOnly={props.readOnly} onChange={props.onChange} />
          ))}
        </ul>
      ) : null}
    </div>
  );
}

const ScopeRow = memo(
  function ScopeRow({ scope, label, on, readOnly, onChange }: { scope: Category["scopes"][number]; label: string; on: boolean; readOnly: boolean; onChange: (ids: string[], on: boolean) => void }) {
    const operation = scope.operations[0];
    const risk = deletes(scope) ? "d" : scope.reads ? "" : "w";
    return (
      <li>
        <Checkbox className="check scope" isSelected={on} isReadOnly={readOnly} onChange={(next) => onChange([scope.id], next)}>
          <Tick />
          <span>{label}</span>
          <span>{operation ? <span className={`method ${risk}`}>{operation.method}</span> : null}</span>
          <span className="mono path">
            {scope.operations.map((row) => (
              <span key={row.method + row.path}>{row.path.replace(/^\/[^/]+\/\{AccountSID\}/, "…")}</span>
            ))}
          </span>
        </Checkbox>
      </li>
    );
  },
  // `onChange` is made anew with every choice elsewhere, and reads the newest set through the parent's render.
  (before, after) => before.on === after.on && before.label === after.label && before.readOnly === after.readOnly && before.scope === after.scope && before.onChange === after.onChange,
);
