// The filters of the token list. They live in the address: back, forward and a link to a colleague work.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Input, Label, SearchField, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import type { TokenSearch } from "../api/queries";
import { type Key, useWords } from "../i18n";
import { Button, Choice } from "../parts/controls";
import { Icon } from "../parts/icon";
import { SignatureKey } from "../parts/reach";
import { Empty } from "../parts/states";

const TYPING_MS = 250;
const CREATED = { last_7_days: "filter.last7", last_30_days: "filter.last30", more_than_30_days: "filter.more30" } as const satisfies Record<string, Key>;
export const CARE = { expired: "care.expired", expiring: "care.expiring", unheard: "care.unheard", old: "care.old" } as const satisfies Record<string, Key>;

export const isFiltered = (search: TokenSearch) => Boolean(search.q || search.created || search.state || search.care);

export function Filters({ search }: { search: TokenSearch }) {
  const { t } = useWords();
  const navigate = useNavigate({ from: "/accounts/$account/tokens" });
  const [typed, setTyped] = useState(search.q ?? "");
  const field = useRef<HTMLInputElement>(null);
  const set = (change: { [name in keyof TokenSearch]: TokenSearch[name] | undefined }) =>
    void navigate({
      search: (before) => Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value)) as TokenSearch,
      replace: true,
      resetScroll: false,
    });
  useEffect(() => setTyped(search.q ?? ""), [search.q]);
  useEffect(() => {
    if (typed.trim() === (search.q ?? "")) return undefined;
    const timer = window.setTimeout(() => set({ q: typed.trim() || undefined }), TYPING_MS);
    return () => window.clearTimeout(timer);
  });
  useEffect(() => {
    const jump = (event: KeyboardEvent) => {
      const inField = event.target instanceof HTMLElement && event.target.closest("input, textarea, [role=dialog], [role=alertdialog], [role=menu]");
      if (event.key === "/" && !inField && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        field.current?.focus();
      }
    };
    document.addEventListener("keydown", jump);
    return () => document.removeEventListener("keydown", jump);
  }, []);
  return (
    <div className="filters" role="search" aria-label={t("filters")}>
      <SearchField className="input-field" value={typed} onChange={setTyped}>
        <Label className="sr">{t("filter.name")}</Label>
        <span className="input">
          <Icon name="search" />
          <Input ref={field} placeholder={t("filter.name.or")} maxLength={100} />
        </span>
      </SearchField>
      <Choice
        inline
        label={t("filter.created")}
        value={search.created ?? "any"}
        onChange={(id) => set({ created: id === "any" ? undefined : (id as keyof typeof CREATED) })}
        options={[{ id: "any", label: t("filter.any") }, ...Object.entries(CREATED).map(([id, key]) => ({ id, label: t(key) }))]}
      />
      <ToggleButtonGroup
        className="seg"
        aria-label={t("filter.state")}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[search.state ?? "all"]}
        onSelectionChange={(keys) => {
          const [state] = [...keys];
          set({ state: state === "enabled" || state === "disabled" ? state : undefined });
        }}
      >
        <ToggleButton id="all">{t("filter.all")}</ToggleButton>
        <ToggleButton id="enabled">{t("enabled")}</ToggleButton>
        <ToggleButton id="disabled">{t("disabled")}</ToggleButton>
      </ToggleButtonGroup>
      {search.care ? (
        <Button look="on" icon="cross" aria-label={t("filter.drop", { name: t(CARE[search.care]) })} onPress={() => set({ care: undefined })}>
          {t(CARE[search.care])}
        </Button>
      ) : null}
      <span className="tail">
        <Button
          look="quiet"
          isDisabled={!isFiltered(search) && !typed}
          onPress={() => {
            setTyped("");
            void navigate({ search: {}, replace: true });
          }}
        >
          {t("clearAll")}
        </Button>
        <span className="grow" />
        <SignatureKey />
      </span>
    </div>
  );
}

/** Says which filters exclude everything. */
export function NoMatch({ search }: { search: TokenSearch }) {
  const words = useWords();
  const { t } = words;
  const navigate = useNavigate({ from: "/accounts/$account/tokens" });
  const parts = [
    search.q ? t("noMatch.name", { name: search.q }) : "",
    search.created ? t("pair", { name: t("filter.created"), value: t(CREATED[search.created]) }) : "",
    search.state ? t("pair", { name: t("filter.state"), value: t(search.state) }) : "",
    search.care ? t(CARE[search.care]) : "",
  ].filter(Boolean);
  return (
    <Empty icon="search" title={t("noMatch")} actions={<Button onPress={() => void navigate({ search: {} })}>{t("clearAll")}</Button>}>
      {words.list(parts)}
    </Empty>
  );
}
