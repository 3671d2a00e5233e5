// libnats (https://github.com/nats-io/nats.c, Apache-2.0), found when it is first needed (dlopen(3)) and not linked: only servers of
// a fleet need it. What is declared here takes pointers to types that only the library knows, texts and numbers: so it is the same
// from version to version. Its JetStream functions take structs that grow with each version and whose initialisers write the
// library's size, not the caller's; what they do is asked of the servers directly (`JetStream.swift`).
#ifndef BAILIFF_CNATS_H
#define BAILIFF_CNATS_H
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct __natsOptions natsOptions;
typedef struct __natsConnection natsConnection;
typedef struct __natsSubscription natsSubscription;
typedef struct __natsMsg natsMsg;

// natsStatus, as status.h has it.
enum {
  BAILIFF_NATS_OK = 0,
  BAILIFF_NATS_NOT_PERMITTED = 12,
  BAILIFF_NATS_TIMEOUT = 26,
  BAILIFF_NATS_NOT_YET_CONNECTED = 31,
  BAILIFF_NATS_NO_RESPONDERS = 34,
};

// natsConnStatus.
enum { BAILIFF_NATS_CONNECTED = 2, BAILIFF_NATS_CLOSED = 3 };

struct bailiff_nats {
  int (*options_create)(natsOptions **options);
  void (*options_destroy)(natsOptions *options);
  int (*set_servers)(natsOptions *options, const char **servers, int count);
  int (*set_name)(natsOptions *options, const char *name);
  int (*set_user)(natsOptions *options, const char *user, const char *password);
  int (*set_credentials)(natsOptions *options, const char *file, const char *seed);
  int (*set_secure)(natsOptions *options, bool is_secure);
  int (*load_authorities)(natsOptions *options, const char *file);
  int (*load_certificate)(natsOptions *options, const char *certificate, const char *key);
  int (*set_max_reconnect)(natsOptions *options, int count);
  int (*set_reconnect_wait)(natsOptions *options, int64_t milliseconds);
  int (*set_timeout)(natsOptions *options, int64_t milliseconds);
  int (*set_ping_interval)(natsOptions *options, int64_t milliseconds);
  int (*set_retry)(natsOptions *options, bool retry, void *handler, void *closure);
  int (*set_inbox_prefix)(natsOptions *options, const char *prefix);
  int (*set_pending)(natsOptions *options, int messages);
  int (*set_error_handler)(natsOptions *options, void *handler, void *closure);
  int (*connect)(natsConnection **connection, natsOptions *options);
  int (*status)(natsConnection *connection);
  int (*last_error)(natsConnection *connection, const char **text);
  int (*flush)(natsConnection *connection, int64_t milliseconds);
  void (*destroy)(natsConnection *connection);
  int (*publish)(natsConnection *connection, natsMsg *message);
  int (*request)(natsMsg **reply, natsConnection *connection, natsMsg *message, int64_t milliseconds);
  int (*subscribe)(natsSubscription **subscription, natsConnection *connection, const char *subject);
  int (*next)(natsMsg **message, natsSubscription *subscription, int64_t milliseconds);
  void (*unsubscribe)(natsSubscription *subscription);
  int (*message_create)(natsMsg **message, const char *subject, const char *reply, const char *data, int count);
  void (*message_destroy)(natsMsg *message);
  const char *(*message_subject)(const natsMsg *message);
  const char *(*message_reply)(const natsMsg *message);
  const char *(*message_data)(const natsMsg *message);
  int (*message_count)(const natsMsg *message);
  int (*header_set)(natsMsg *message, const char *key, const char *value);
  int (*header_get)(natsMsg *message, const char *key, const char **value);
  const char *(*status_text)(int status);
};

// Errors that nobody waits for (a slow subscription): the library would print them; whoever reads finds out.
static inline void bailiff_nats_ignore(natsConnection *connection, natsSubscription *subscription, int status, void *closure) {
  (void)connection, (void)subscription, (void)status, (void)closure;
}

static inline void bailiff_nats_is_connected(natsConnection *connection, void *closure) { (void)connection, (void)closure; }

// Connects in the background when no server answers: without a function to call, natsConnection_Connect would wait for one.
static inline int bailiff_nats_retry(const struct bailiff_nats *api, natsOptions *options) {
  return api->set_retry(options, true, (void *)bailiff_nats_is_connected, NULL);
}

static inline int bailiff_nats_quiet(const struct bailiff_nats *api, natsOptions *options) {
  return api->set_error_handler(options, (void *)bailiff_nats_ignore, NULL);
}

// Fills `api` from a library of this name. Returns what is missing, or NULL when everything is there.
static inline const char *bailiff_nats_load(struct bailiff_nats *api, const char *library) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return dlerror();
#define BAILIFF_FIND(member, name) \
  if (!(*(void **)&api->member = dlsym(handle, #name))) return #name " is missing";
  BAILIFF_FIND(options_create, natsOptions_Create)
  BAILIFF_FIND(options_destroy, natsOptions_Destroy)
  BAILIFF_FIND(set_servers, natsOptions_SetServers)
  BAILIFF_FIND(set_name, natsOptions_SetName)
  BAILIFF_FIND(set_user, natsOptions_SetUserInfo)
  BAILIFF_FIND(set_credentials, natsOptions_SetUserCredentialsFromFiles)
  BAILIFF_FIND(set_secure, natsOptions_SetSecure)
  BAILIFF_FIND(load_authorities, natsOptions_LoadCATrustedCertificates)
  BAILIFF_FIND(load_certificate, natsOptions_LoadCertificatesChain)
  BAILIFF_FIND(set_max_reconnect, natsOptions_SetMaxReconnect)
  BAILIFF_FIND(set_reconnect_wait, natsOptions_SetReconnectWait)
  BAILIFF_FIND(set_timeout, natsOptions_SetTimeout)
  BAILIFF_FIND(set_ping_interval, natsOptions_SetPingInterval)
  BAILIFF_FIND(set_retry, natsOptions_SetRetryOnFailedConnect)
  BAILIFF_FIND(set_inbox_prefix, natsOptions_SetCustomInboxPrefix)
  BAILIFF_FIND(set_pending, natsOptions_SetMaxPendingMsgs)
  BAILIFF_FIND(set_error_handler, natsOptions_SetErrorHandler)
  BAILIFF_FIND(connect, natsConnection_Connect)
  BAILIFF_FIND(status, natsConnection_Status)
  BAILIFF_FIND(last_error, natsConnection_GetLastError)
  BAILIFF_FIND(flush, natsConnection_FlushTimeout)
  BAILIFF_FIND(destroy, natsConnection_Destroy)
  BAILIFF_FIND(publish, natsConnection_PublishMsg)
  BAILIFF_FIND(request, natsConnection_RequestMsg)
  BAILIFF_FIND(subscribe, natsConnection_SubscribeSync)
  BAILIFF_FIND(next, natsSubscription_NextMsg)
  BAILIFF_FIND(unsubscribe, natsSubscription_Destroy)
  BAILIFF_FIND(message_create, natsMsg_Create)
  BAILIFF_FIND(message_destroy, natsMsg_Destroy)
  BAILIFF_FIND(message_subject, natsMsg_GetSubject)
  BAILIFF_FIND(message_reply, natsMsg_GetReply)
  BAILIFF_FIND(message_data, natsMsg_GetData)
  BAILIFF_FIND(message_count, natsMsg_GetDataLength)
  BAILIFF_FIND(header_set, natsMsgHeader_Set)
  BAILIFF_FIND(header_get, natsMsgHeader_Get)
  BAILIFF_FIND(status_text, natsStatus_GetText)
#undef BAILIFF_FIND
  return NULL;
}
#endif
