import EdgeNode
import Foundation
import Testing

@Suite("The go command's settings")
struct ClientSettingsTests {
    private func settings(_ text: String) throws -> ClientSettings {
        let configuration = try Configuration.parse(text, environment: ["HOME": "/h"]).configuration
        return ClientSettings(configuration, base: "http://edge:4890/")
    }

    private func value(_ name: String, _ settings: ClientSettings) -> String? {
        settings.variables.first { $0.name == name }?.value
    }

    @Test("name the node and the public checksum database")
    func standard() async throws {
        let settings = try settings("")
        #expect(value("GOPROXY", settings) == "http://edge:4890")
        #expect(value("GOSUMDB", settings) == "sum.golang.org")
        #expect(value("GONOSUMDB", settings) == "")
        #expect(settings.notes.isEmpty)
    }

    @Test("take private modules through the node, but not to the public database")
    func privateModules() async throws {
        let settings = try settings("[go]\nprivate = [\"*.corp.example\", \"re:x/.*\", \"example.com/team\"]")
        #expect(value("GONOSUMDB", settings) == "*.corp.example,example.com/team")
        #expect(value("GONOPROXY", settings) == "none")
        #expect(value("GOPRIVATE", settings) == "")
        #expect(settings.notes.count == 1)
        #expect(settings.notes[0].contains("re:x/.*"))
    }

    @Test("give the key of a database of one's own, and off when there is none")
    func databases() async throws {
        let own = try settings(
            "[[sumdb]]\nname = \"sum.corp\"\nkey = \"sum.corp+03813023+AYccl2spVISqVZac5S4vpTQb1Hi5yGy5mw3dYlGzQfb5\"\nurl = \"http://s\""
        )
        #expect(value("GOSUMDB", own) == "sum.corp+03813023+AYccl2spVISqVZac5S4vpTQb1Hi5yGy5mw3dYlGzQfb5")
        #expect(value("GOSUMDB", try settings("sumdb = []")) == "off")
    }

    @Test("are read back by a shell as they are meant")
    func shell() async throws {
        let settings = try settings("[go]\nprivate = [\"a.example/it?s\", \"*.b\"]")
        for form in [ClientSettings.Form.shell, .goEnv] {
            let script =
                form == .shell
                ? settings.text(form) + "\nprintf '%s|' \"$GOPROXY\" \"$GONOSUMDB\" \"$GOPRIVATE\""
                : "go() { shift 2; printf '%s|' \"$@\"; }\n" + settings.text(form)
            let output = try await ChildProcess.run("/bin/sh", ["-c", script]).output
            #expect(output.contains("http://edge:4890|"), "\(output)")
            #expect(output.contains("a.example/it?s,*.b|"), "\(output)")
        }
    }

    @Test(
        "find the front's URL in the configuration",
        arguments: [
            ("", "http://127.0.0.1:4890"), ("[node]\nlisten = \"0.0.0.0:80\"", "http://box:80"),
            ("[node]\nlisten = [\"[::]:81\", \"127.0.0.1:1\"]", "http://box:81"),
            ("[node]\nlisten = \"[fd00::1]:81\"", "http://[fd00::1]:81"),
            ("[tls]\ncertificate_file = \"/c\"\nprivate_key_file = \"/k\"", "https://127.0.0.1:4890"),
        ])
    func url(text: String, expected: String) async throws {
        let configuration = try Configuration.parse(text, environment: ["HOME": "/h"]).configuration
        #expect(configuration.frontURL(hostName: "box") == expected)
    }
}
