// Controls of our own shape over React Aria: buttons, fields, choices, dialogs, menus.
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import {
  Button as AriaButton,
  type ButtonProps,
  Dialog as AriaDialog,
  FieldError,
  Heading,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  Popover,
  Select as AriaSelect,
  SelectValue,
  Text,
  TextArea,
  TextField,
} from "react-aria-components";
import { useWords } from "../i18n";
import { Icon, type IconName } from "./icon";
import "./controls.css";

type Look = "" | "on" | "primary" | "danger" | "danger-fill" | "quiet" | "link";

export function Button({
  look = "",
  small,
  icon,
  children,
  busy,
  ...rest
}: Omit<ButtonProps, "className" | "children"> & { look?: Look; small?: boolean; icon?: IconName; children?: ReactNode; busy?: boolean }) {
  return (
    <AriaButton
      {...rest}
      {...(busy ? { isPending: true } : {})}
      className={`btn ${look}${small ? " sm" : ""}${children === undefined ? " icon" : ""}`}
    >
      {icon ? <Icon name={icon} /> : null}
      {children}
    </AriaButton>
  );
}

export type Tone = "enabled" | "disabled" | "expiring" | "legacy" | "retired" | "danger" | "accent" | "line";
export function Chip({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={`chip ${tone}`}>
      {icon ? <Icon name={icon} /> : null}
      {children}
    </span>
  );
}

export function Banner({ tone = "", icon = "warn", children }: { tone?: "" | "warn" | "bad" | "ok"; icon?: IconName; children: ReactNode }) {
  return (
    <div className={`banner ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={icon} />
      <div className="grow">{children}</div>
    </div>
  );
}

export function Field(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  help?: ReactNode;
  error?: string | undefined;
  type?: string;
  lines?: number;
  required?: boolean;
  autoFocus?: boolean;
  autoComplete?: string;
  name?: string;
  maxLength?: number;
  readOnly?: boolean;
  placeholder?: string;
  mono?: boolean;
  /** The least number or first day that can be entered. */
  least?: string;
}) {
  const shape = {
    maxLength: props.maxLength,
    placeholder: props.placeholder,
    autoComplete: props.autoComplete ?? "off",
    className: props.mono ? "mono" : "",
    spellCheck: props.mono ? (false as const) : undefined,
  };
  return (
    <TextField
      className="field"
      value={props.value}
      onChange={props.onChange}
      isInvalid={Boolean(props.error)}
      isRequired={props.required ?? false}
      isReadOnly={props.readOnly ?? false}
      validationBehavior="aria"
      {...(props.name ? { name: props.name } : {})}
      {...(props.type ? { type: props.type } : {})}
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus={props.autoFocus ?? false}
    >
      <Label className="label">{props.label}</Label>
      <span className="input" data-invalid={props.error ? "" : undefined}>
        {props.lines ? <TextArea rows={props.lines} {...shape} /> : <Input {...shape} min={props.least} />}
      </span>
      {props.help ? (
        <Text slot="description" className="help">
          {props.help}
        </Text>
      ) : null}
      <FieldError className="err">{props.error}</FieldError>
    </TextField>
  );
}

export type Option = { id: string; label: string; sub?: string };

export function Choice(props: {
  label: string;
  inline?: boolean;
  hidden?: boolean;
  options: Option[];
  value: string | null;
  onChange: (id: string) => void;
  help?: ReactNode;
  error?: string | undefined;
  icon?: IconName;
  placeholder?: string;
  isDisabled?: boolean;
}) {
  const label = <Label className={props.hidden || props.inline ? "sr" : "label"}>{props.label}</Label>;
  return (
    <AriaSelect
      className={props.inline ? "choice-inline" : "field"}
      value={props.value}
      onChange={(value) => props.onChange(String(value))}
      isInvalid={Boolean(props.error)}
      isDisabled={props.isDisabled ?? false}
      placeholder={props.placeholder ?? ""}
    >
      {label}
      <AriaButton className="select">
        {props.icon ? <Icon name={props.icon} /> : null}
        {props.inline ? <span className="k" data-text={props.label} /> : null}
        <SelectValue className="v">{({ selectedText, isPlaceholder, defaultChildren }) => (isPlaceholder ? defaultChildren : selectedText)}</SelectValue>
        <Icon name="down" />
      </AriaButton>
      {props.help ? (
        <Text slot="description" className="help">
          {props.help}
        </Text>
      ) : null}
      {props.error ? <FieldError className="err">{props.error}</FieldError> : null}
      <Popover className="pop list">
        <ListBox items={props.options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.label} className="item">
              <span>{option.label}</span>
              {option.sub ? <span className="hint">{option.sub}</span> : null}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** A dialog. It is open as long as it is rendered; the safe button takes the focus unless a field asks for it. */
export function Dialog(props: {
  title: string;
  seal?: ReactNode;
  sub?: ReactNode;
  onClose: () => void;
  children?: ReactNode;
  footer: ReactNode;
  alert?: boolean;
  wide?: boolean;
  /** Stays open when one presses beside it or Escape: it holds something shown only once. */
  firm?: boolean;
}) {
  const close = (open: boolean) => {
    if (!open) props.onClose();
  };
  return (
    <ModalOverlay className="scrim" isOpen onOpenChange={close} isDismissable={!props.firm && !props.alert} isKeyboardDismissDisabled={props.firm ?? false}>
      <Modal className={props.wide ? "dialog wide" : "dialog"}>
        <AriaDialog role={props.alert ? "alertdialog" : "dialog"} className="dialog-in">
          <header>
            {props.seal}
            <div>
              <Heading slot="title">{props.title}</Heading>
              {props.sub ? <p className="sub mono">{props.sub}</p> : null}
            </div>
          </header>
          <div className="body">{props.children}</div>
          <footer>{props.footer}</footer>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** What a deed stops, and what stays. */
export function Stops({ items }: { items: { icon: IconName; bad?: boolean; text: ReactNode; sub?: ReactNode }[] }) {
  return (
    <ul className="stops">
      {items.map((item, index) => (
        <li key={index} className={item.bad ? "x" : ""}>
          <Icon name={item.icon} />
          <span>
            {item.text}
            {item.sub ? <span className="sub">{item.sub}</span> : null}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The box of a check box. */
export function Tick() {
  return (
    <span className="mark">
      <Icon name="check" />
    </span>
  );
}

/** Whether a text was just copied, and how to copy it. */
export function useCopy(): [boolean, (text: string) => Promise<void>] {
  const [done, setDone] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [
    done,
    async (text) => {
      await navigator.clipboard.writeText(text);
      setDone(true);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setDone(false), 2_000);
    },
  ];
}

export function CopyButton({ what, text }: { what: string; text: string | (() => Promise<string | null>) }) {
  const { t } = useWords();
  const [done, copy] = useCopy();
  const run = async () => {
    const value = typeof text === "string" ? text : await text();
    if (value !== null) await copy(value);
  };
  return (
    <Button small icon={done ? "check" : "copy"} aria-label={t("copy.label", { what })} onPress={() => void run()}>
      <span className="tx" aria-live="polite">
        {done ? t("copy.done") : t("copy")}
      </span>
    </Button>
  );
}

/** A value with a copy button: a SID, a new secret, a command. */
export function Copyable({ label, value, lines }: { label: string; value: string; lines?: boolean }) {
  return (
    <div className="field">
      <span className="label">{label}</span>
      <div className="secret">
        <code className={lines ? "lines" : ""}>{value}</code>
        <CopyButton what={label} text={value} />
      </div>
    </div>
  );
}

/** True while the element was seen on the screen at least once. */
export function useSeen(ref: RefObject<Element | null>, margin = "300px"): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element || seen) return undefined;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true), {
      rootMargin: margin,
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, [ref, seen, margin]);
  return seen;
}
