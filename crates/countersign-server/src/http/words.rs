//! How the words of the model look on the wire, for the OpenAPI document: their forms and limits. These types are only
//! the schemas of texts; reading and checking is done by the types of the model they are named after.
#![expect(dead_code, reason = "a schema is told of the type, and no value of it is ever made")]

use countersign_model::limits;
use utoipa::{IntoParams, ToSchema};

use crate::{
    limits::{
        CODE_BYTES_MAX, IDEMPOTENCY_KEY_BYTES_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, SEARCH_CHARS_MAX,
    },
    ops::accounts::TOKEN_LIMIT_MAX,
};

/// Id of an account.
#[derive(ToSchema)]
#[schema(pattern = "^acc_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "acc_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct AccountId(String);

/// Id of a person.
#[derive(ToSchema)]
#[schema(pattern = "^usr_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "usr_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct UserId(String);

/// Id of a token, or of one credential of a legacy pair.
#[derive(ToSchema)]
#[schema(pattern = "^tok_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "tok_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct TokenId(String);

/// Id of a sign-in session.
#[derive(ToSchema)]
#[schema(pattern = "^ses_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "ses_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct SessionId(String);

/// Id of an invitation.
#[derive(ToSchema)]
#[schema(pattern = "^inv_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "inv_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct InvitationId(String);

/// Id of a gateway.
#[derive(ToSchema)]
#[schema(pattern = "^gwy_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "gwy_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct GatewayId(String);

/// Id of a platform credential.
#[derive(ToSchema)]
#[schema(pattern = "^plc_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "plc_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct PlatformCredentialId(String);

/// Id of an announcement.
#[derive(ToSchema)]
#[schema(pattern = "^ann_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "ann_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct AnnouncementId(String);

/// Id of a webhook.
#[derive(ToSchema)]
#[schema(pattern = "^whk_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "whk_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct WebhookId(String);

/// Id of a delivery.
#[derive(ToSchema)]
#[schema(pattern = "^dlv_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "dlv_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct DeliveryId(String);

/// The code of an event.
#[derive(ToSchema)]
#[schema(pattern = "^[a-z]{1,40}(\\.[a-z]{1,40})?$", example = "token.reset")]
pub(super) struct Event(String);

/// Where the requests of a webhook go: an https URL without user name and without a part behind `#`.
#[derive(ToSchema)]
#[schema(format = "uri", max_length = 2_048, example = "https://hooks.example.com/countersign")]
pub(super) struct WebhookUrl(String);

/// Id of one request, told to the caller and kept in the audit trail.
#[derive(ToSchema)]
#[schema(pattern = "^req_[0-7][0-9a-hjkmnp-tv-z]{25}$", example = "req_01jt3x9k7dfq4v8m2n6p0r5s1w")]
pub(super) struct RequestId(String);

/// An Account SID: the user name in HTTP Basic.
#[derive(ToSchema)]
#[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "BR01JT3X9K7DFQ4V8M2N6P0R5S1W")]
pub(super) struct Sid(String);

/// An e-mail address: at most 254 bytes of UTF-8.
#[derive(ToSchema)]
#[schema(format = "idn-email", min_length = 3, max_length = 254, example = "name@example.com")]
pub(super) struct EmailAddress(String);

/// The name of a token: 1 to 100 characters without control and text direction characters.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 100, example = "Warehouse sync")]
pub(super) struct TokenName(String);

/// The name of a person or an account: 1 to 100 characters without control and text direction characters.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 100, example = "Mia Member")]
pub(super) struct PersonName(String);

/// A description: up to 500 characters, line feeds allowed.
#[derive(ToSchema)]
#[schema(max_length = 500)]
pub(super) struct Description(String);

/// The operator's own id for an account: visible ASCII without spaces.
#[derive(ToSchema)]
#[schema(pattern = "^[!-~]{1,100}$", example = "customer-4711")]
pub(super) struct ExternalId(String);

/// An id in the catalog: of an account kind, a role, a scope.
#[derive(ToSchema)]
#[schema(pattern = "^[a-z][a-z0-9_.-]{0,99}$", example = "brand")]
pub(super) struct CatalogId(String);

/// The number of an API version.
#[derive(ToSchema)]
#[schema(minimum = 0, maximum = 65_535, example = 14)]
pub(super) struct ApiVersion(u16);

/// The name of a gateway or a platform credential.
#[derive(ToSchema)]
#[schema(pattern = "^[a-z0-9-]{1,40}$", example = "edge")]
pub(super) struct MachineName(String);

/// An address, or a network in CIDR notation.
#[derive(ToSchema)]
#[schema(pattern = "^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$", example = "203.0.113.0/24")]
pub(super) struct Network(String);

/// The name of a header, in lower case.
#[derive(ToSchema)]
#[schema(pattern = "^[a-z0-9-]{1,64}$", example = "x-original-uri")]
pub(super) struct HeaderName(String);

/// The name of a gateway's configuration that we ship.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Recipe {
    /// nginx, by `auth_request`.
    Nginx,
    /// HAProxy, by a Lua action.
    Haproxy,
    /// Caddy, by `forward_auth`.
    Caddy,
    /// Traefik, by `forwardAuth`.
    Traefik,
    /// Envoy, by `ext_authz` over HTTP.
    Envoy,
    /// Envoy, by `ext_authz` over gRPC.
    EnvoyGrpc,
    /// Apache, by an access hook in Lua.
    Apache,
}

/// The back end that signed assertions are addressed to, compared letter by letter.
#[derive(ToSchema)]
#[schema(pattern = "^[A-Za-z0-9._~:/-]{1,200}$", example = "orders")]
pub(super) struct Audience(String);

/// A new password: 15 to 128 characters, not one that guessers try first.
#[derive(ToSchema)]
#[schema(format = Password, min_length = 15, max_length = 128)]
pub(super) struct NewPassword(String);

/// A one-time code, as a link or the start of the server shows it.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 100)]
pub(super) struct OneTimeCode(String);

/// The code of a link that ends letters; it works as long as the letter is kept.
#[derive(ToSchema)]
#[schema(min_length = 1, max_length = 500)]
pub(super) struct SubscriptionCode(String);

/// How a developer address stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum AddressState {
    /// Not yet told of anything.
    Unconfirmed,
    /// Told.
    Confirmed,
    /// Refused by a mail server for good.
    Bounced,
}

/// Where a page of a list starts: sealed, and of use only with the list it came from.
#[derive(ToSchema)]
#[schema(pattern = "^[A-Za-z0-9_-]{1,2048}$")]
pub(super) struct Cursor(String);

/// The number of an edit in quotes, as the ETag of an answer says it.
#[derive(ToSchema)]
#[schema(pattern = "^\"[0-9]{1,20}\"$", example = "\"7\"")]
pub(super) struct EditTag(String);

/// The header that makes a request safe to repeat.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct Repeatable {
    /// 1 to 200 visible ASCII characters without spaces. A repetition within 24 hours gets the same answer; with another
    /// body it is 422 `idempotency_key_reused`.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        pattern = "^[!-~]{1,200}$",
        example = "order-4711-attempt"
    )]
    idempotency_key: Option<String>,
}

/// A hash of 256 bits, hexadecimal.
#[derive(ToSchema)]
#[schema(pattern = "^[0-9a-f]{64}$")]
pub(super) struct Hash(String);

/// A language of the console.
#[derive(ToSchema)]
pub(super) enum Language {
    /// English.
    #[schema(rename = "en")]
    English,
    /// Simplified Chinese.
    #[schema(rename = "zh-CN")]
    Chinese,
}

/// What a role may allow.
#[derive(ToSchema)]
pub(super) enum Permission {
    /// See tokens.
    #[schema(rename = "tokens.view")]
    TokensView,
    /// Make, change and delete tokens.
    #[schema(rename = "tokens.manage")]
    TokensManage,
    /// Show stored secrets.
    #[schema(rename = "secrets.reveal")]
    SecretsReveal,
    /// Invite and remove members and change their roles.
    #[schema(rename = "members.manage")]
    MembersManage,
    /// Read the account's audit trail.
    #[schema(rename = "audit.view")]
    AuditView,
    /// Change the account.
    #[schema(rename = "account.manage")]
    AccountManage,
}

/// What a token with a management scope may do with tokens of its account.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ManagementRight {
    /// See them.
    View,
    /// Make them.
    Create,
    /// Change them.
    Edit,
    /// Disable them.
    Disable,
    /// Enable them.
    Enable,
    /// Give them new secrets.
    Reset,
    /// Delete them.
    Delete,
}

/// What kind of caller did something.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ActorKind {
    /// A person signed in.
    User,
    /// A person signed in, as an operator of the platform.
    Operator,
    /// A token with management scopes.
    Token,
    /// A machine with a platform credential.
    Platform,
    /// The command line on the server's own machine.
    Cli,
    /// Countersign itself.
    System,
    /// Somebody we do not know.
    Anonymous,
}

/// What became of a deed.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// A half of the legacy pair, as it stands in a path.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
pub(super) enum LegacyHalf {
    /// The credential that may call every operation of the account's kind.
    ReadWrite,
    /// The credential that may call those whose method is GET or HEAD.
    ReadOnly,
}

// What the schemas above promise is what the rules hold.
const _: () = assert!(
    limits::SID_BYTES_MAX == 64
        && limits::EMAIL_BYTES_MAX == 254
        && limits::NAME_CHARS_MAX == 100
        && limits::PERSON_NAME_CHARS_MAX == 100
        && limits::DESCRIPTION_CHARS_MAX == 500
        && limits::EXTERNAL_ID_BYTES_MAX == 100
        && limits::CATALOG_ID_BYTES_MAX == 100
        && limits::GATEWAY_NAME_BYTES_MAX == 40
        && limits::GATEWAY_PEERS_MAX == 50
        && limits::CATALOG_BYTES_MAX == 4_194_304
        && TOKEN_LIMIT_MAX == 1_000_000
        && SEARCH_CHARS_MAX == 100
        && CODE_BYTES_MAX == 100
        && IDEMPOTENCY_KEY_BYTES_MAX == 200
        && PASSWORD_CHARS_MIN == 15
        && PASSWORD_CHARS_MAX == 128
);

/// What a probe of a gateway looks at.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ProbeCheck {
    /// Nobody without a good credential passes.
    Credentials,
    /// Clients that say who they are.
    IdentityHeaders,
    /// Clients that name another method or path.
    QuestionHeaders,
    /// Headers that make back ends see another method.
    MethodOverride,
    /// Clients that claim another address.
    ClientAddress,
    /// The Auth Token at the back end.
    CredentialForwarded,
    /// Countersign away, failing or talking nonsense.
    Outage,
    /// Countersign late.
    LateAnswers,
    /// Statuses and headers for the caller.
    Statuses,
    /// Answers used twice.
    Caching,
    /// Ambiguous paths.
    Paths,
    /// Requests inside of requests.
    Framing,
    /// The same over HTTP/2.
    Http2,
    /// Ids of decisions.
    RequestIds,
    /// Disabled tokens.
    Revocation,
    /// Connections for questions.
    KeptConnections,
}

/// What a probe says of one thing it looked at.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum ProbeVerdict {
    /// Nothing was found.
    Shut,
    /// Something was found.
    Found,
    /// It was not looked at.
    NotChecked,
}
