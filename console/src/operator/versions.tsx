// Who still uses which API version: its dates, how many tokens and accounts, and whom to talk to.
import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import type { VersionUsage } from "../api/client";
import { catalogQuery, versionTokensQuery, versionsQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip } from "../parts/controls";
import { Day, Empty, Failed, Loading, When } from "../parts/states";
import { OperatorPage } from "./page";

export function Versions() {
  const words = useWords();
  const { t } = words;
  const { kind, number } = useSearch({ from: "/frame/operator/versions" });
  const kinds = useSuspenseQuery(catalogQuery).data.kinds;
  const list = useQuery(versionsQuery);
  const rows = list.data?.items ?? [];
  const groups = [...new Set(rows.map((row) => row.kind))];
  const label = (id: string) => words.label(kinds.find((row) => row.id === id)?.label) || id;
  return (
    <OperatorPage title={t("operator.versions")} lead={t("operator.versions.lead")}>
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {groups.map((group) => (
        <section key={group} className="block first" aria-label={label(group)}>
          <h2>{label(group)}</h2>
          <div className="card scroll" tabIndex={0} role="group" aria-label={label(group)}>
            <table>
              <thead>
                <tr>
                  <th>{t("apiVersion")}</th>
                  <th>{t("filter.state")}</th>
                  <th>{t("versions.released")}</th>
                  <th>{t("versions.deprecated")}</th>
                  <th>{t("versions.sunset")}</th>
                  <th className="num">{t("versions.tokens")}</th>
                  <th className="num">{t("versions.used")}</th>
                  <th className="num">{t("operator.accounts")}</th>
                </tr>
              </thead>
              <tbody>
                {rows.filter((row) => row.kind === group).sort((a, b) => b.number - a.number).map((row) => (
                  <tr key={row.number} className={row.kind === kind && row.number === number ? "chosen" : ""}>
                    <td>
                      {row.tokens > 0 ? <Link to="/operator/versions" search={{ kind: row.kind, number: row.number }} resetScroll={false}>{row.number}</Link> : row.number}
                      {row.notes_url ? <> <a className="faint" href={row.notes_url} rel="noreferrer">{t("versions.notes")}</a></> : null}
                    </td>
                    <td><VersionChip row={row} /></td>
                    <td>{row.released_at ? <Day moment={row.released_at} /> : <span className="faint">{t("none")}</span>}</td>
                    <td>{row.deprecated_at ? <Day moment={row.deprecated_at} /> : <span className="faint">{t("none")}</span>}</td>
                    <td>{row.sunset_at ? <Day moment={row.sunset_at} /> : <span className="faint">{t("none")}</span>}</td>
                    <td className="num">{words.number(row.tokens_own)}</td>
                    <td className="num">{words.number(row.tokens_used)}</td>
                    <td className="num">{words.number(row.accounts)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
      {kind && number ? <Tokens kind={kind} number={number} title={t("versions.on", { kind: label(kind), version: number })} /> : null}
    </OperatorPage>
  );
}

function VersionChip({ row }: { row: VersionUsage }) {
  const { t } = useWords();
  if (row.state === "retired" || row.state === "unknown") return <Chip tone="danger" icon="cross">{t(`versions.${row.state}`)}</Chip>;
  if (row.state === "deprecated") return <Chip tone="expiring" icon="clock">{t("versions.deprecated.chip")}</Chip>;
  return <Chip tone={row.latest ? "accent" : "enabled"} icon={row.latest ? "check" : "dot"}>{t(row.latest ? "latest" : "versions.current")}</Chip>;
}

function Tokens({ kind, number, title }: { kind: string; number: number; title: string }) {
  const words = useWords();
  const { t } = words;
  const list = useInfiniteQuery(versionTokensQuery(kind, number));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="block" aria-label={title}>
      <h2>{title}</h2>
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isSuccess && rows.length === 0 ? <Empty icon="check" title={t("versions.nobody")} /> : null}
      {rows.length > 0 ? (
        <ul className="card rows">
          {rows.map((row) => (
            <li key={row.token_id}>
              <span className="row-main">
                {row.access === "scoped" ? (
                  <Link className="name" to="/accounts/$account/tokens/$token" params={{ account: row.account.id, token: row.token_id }}>{row.name}</Link>
                ) : (
                  <Link className="name" to="/accounts/$account/legacy" params={{ account: row.account.id }}>{t("pair.dot", { one: t("legacy"), other: t(row.access === "read_only" ? "readOnly" : "readWrite") })}</Link>
                )}
                <span className="sub">{row.account.name} · <span className="mono">{row.sid}</span></span>
              </span>
              <span className="row-main">
                {row.primary_contact?.name ?? t("contact.none")}
                <span className="sub">{words.list([...(row.primary_contact ? [row.primary_contact.email] : []), ...row.developer_emails])}</span>
              </span>
              <span className="row-fact">
                {row.enabled ? null : <Chip tone="disabled" icon="power">{t("disabled")}</Chip>}
                {row.api_version === number ? null : <Chip tone="line">{t("versions.asks", { version: row.api_version })}</Chip>}
              </span>
              <span className="row-fact faint">{row.last_used_at ? <When moment={row.last_used_at} /> : t("usage.never")}</span>
            </li>
          ))}
        </ul>
      ) : null}
      {list.hasNextPage ? <div className="more-rows"><Button busy={list.isFetchingNextPage} onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
    </section>
  );
}
