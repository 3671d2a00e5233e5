import AuditLog
import HTTPServing
import Inspection
import Model
import NIOHTTP1

/// Who came in and what they did, and what a person should look at.
extension ControlRoutes {
  var activityEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/activity",
        about: About(
          "What those did who were let in, newest first.", query: ActivityQuestion.parameters,
          answers: .lines(.init(ActivityReply.self)))
      ) { request, _ in
        let question = try ActivityQuestion(request)
        let rows = try await ask { audit, _ in
          try audit.reader.activities(question.filter, limit: question.limit).map { ActivityReply($0) }
        }
        return .lines(rows)
      },
      endpoint(
        .GET, "/api/v1/alerts",
        about: About(
          "What a person should look at, newest first.", query: AlertQuestion.parameters,
          answers: .lines(.init(AlertReply.self)))
      ) { request, _ in
        let question = try AlertQuestion(request)
        return .lines(
          try await ask { audit, _ in
            try audit.alerts(question.filter, limit: question.limit, hasLines: question.hasLines)
          })
      },
    ]
  }
}
