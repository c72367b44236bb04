import Content

/// Datagrams in and out: a stranger's is dropped before anything costly is done with it.
extension GossipCore {
    /// Questions of one datagram that are answered; a node itself sends one or two with each.
    package static let answerLimit = 8

    /// - Returns: false for what was dropped; `drops` counts why.
    mutating func take(
        _ datagram: [UInt8], from source: Endpoint, _ step: inout Step, _ rng: inout GossipRandom
    ) -> Bool {
        // No curve operation and no signature for whoever is not known.
        guard let head = DatagramHead(datagram) else { return drop(\.malformed) }
        guard let position = index[head.sender] else { return drop(\.strange) }
        guard head.boot >= roster[position].boot,
            head.boot > roster[position].boot || roster[position].replay.accepts(head.counter)
        else { return drop(\.replayed) }
        guard roster[position].status != .left || head.boot > roster[position].boot,
            trust.refusal(of: roster[position].node, roster[position].card.certificate, now: step.trusted)
                == nil
        else { return drop(\.refused) }
        // Only what is authentic uses the budget up: forgers cannot silence a member.
        guard roster[position].budget.hasRoom(rate: configuration.datagramRate, now: step.now) else {
            return drop(\.flooding)
        }
        guard let key = receiveKey(from: position, boot: head.boot),
            let bytes = configuration.sealsDatagrams
                ? key.open(datagram)
                : Array(
                    datagram[(DatagramHead.byteCount + DatagramHead.nonceByteCount)...]
                        .dropLast(DatagramHead.tagByteCount))
        else { return drop(\.forged) }
        _ = roster[position].budget.take(rate: configuration.datagramRate, now: step.now)
        if head.boot > roster[position].boot {
            // It started again: what it kept of this node is old, and so is what is known of it.
            roster[position].boot = head.boot
            roster[position].replay = ReplayWindow()
            roster[position].told = .max
        }
        roster[position].replay.note(head.counter)
        roster[position].lastHeard = step.now
        roster[position].lastDatagram = step.now
        guard let messages = try? GossipMessage.decode(bytes) else { return drop(\.malformed) }
        heard(from: position, &step)
        var answers: [GossipMessage] = []
        if roster[position].card.record.incarnation.boot < head.boot {
            answers.append(.cardRequest(head.sender))
        }
        for message in messages {
            // A datagram full of questions must not make forty of answers.
            guard answers.count < Self.answerLimit || !message.isQuestion else {
                _ = drop(\.flooding)
                continue
            }
            handle(message, from: position, answers: &answers, &step, &rng)
        }
        if !answers.isEmpty { send(answers, to: position, at: source, &step, &rng) }
        return true
    }

    private mutating func drop(_ reason: WritableKeyPath<DatagramDrops, UInt64>) -> Bool {
        drops[keyPath: reason] += 1
        return false
    }

    /// Whether a card costs no signature, or this member may still cause some.
    private mutating func mayCheck(_ card: MemberCard, from position: Int, _ step: Step) -> Bool {
        let known =
            card.record.node == id
            ? record.incarnation
            : index[credentials.secret.tag(of: card.record.node)].map { roster[$0].card.record.incarnation }
        if let known, card.record.incarnation <= known { return true }
        return roster[position].cardBudget.take(rate: configuration.cardRate, now: step.now)
            || drop(\.flooding)
    }

    /// An authentic datagram shows that its sender lives, whatever others say.
    private mutating func heard(from position: Int, _ step: inout Step) {
        switch roster[position].status {
        case .alive, .left: return
        case .suspect:
            // Others may go on suspecting; this node has seen it.
            roster[position].suspicion?.ownProbeFailed = false
            return
        case .dead:
            revive(position, &step)
        }
    }

    private mutating func handle(
        _ message: GossipMessage, from position: Int, answers: inout [GossipMessage], _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        let sender = roster[position].tag
        switch message {
        case .ping(let number):
            answers.append(.ack(number))
            // With each probe the two tell each other how far they are, so that no lost head stays lost.
            roster[position].told = .max
            if roster[position].status == .suspect {
                // It gets to know, so that it can say that it lives.
                answers.append(
                    .accusation(sender, roster[position].incarnation, accuser: credentials.tag))
            }
        case .ack(let number): acknowledged(number, by: position, &step, &rng)
        case .nack(let number):
            if let probe, probe.number == number, probe.nacksMissing > 0 { self.probe?.nacksMissing -= 1 }
        case .pingRequest(let number, let target):
            relay(number, to: target, for: sender, &step, &rng)
        case .accusation(let tag, let incarnation, let accuser):
            accused(tag, incarnation, by: accuser, isDirect: accuser == sender, &step)
        case .card(let card):
            guard mayCheck(card, from: position, step) else { return }
            if card.record.node == id {
                sawOwnCard(card, &step)
            } else {
                learned(card, &step)
            }
        case .cardRequest(let tag):
            if tag == credentials.tag {
                answers.append(.card(self.card))
            } else if let known = index[tag] {
                answers.append(.card(roster[known].card))
            }
        case .headHint(let tag, let low): hinted(tag, low, &step)
        case .head(let epoch, let sequence, let hash, _):
            confirmed(position, epoch: epoch, sequence: sequence, hash: hash, &step, &rng)
        case .pull(let tag, let epoch, let after):
            if let answer = pulled(tag, epoch: epoch, after: after) { answers.append(answer) }
        case .operations(let tag, let epoch, let after, let changes):
            took(changes, of: tag, epoch: epoch, after: after, isOwn: tag == sender, &step, &rng)
        case .tooOld(let tag, let epoch, _): tooOld(tag, epoch: epoch, isOwn: tag == sender, &step)
        case .ask(let number, let id, let wantsLease, let doubting):
            answers.append(
                owned(
                    id, number: number, wantsLease: wantsLease, doubting: doubting, by: position, &step, &rng)
            )
        case .owner(let number, let lease, let holders, let fetchers):
            answered(number, lease: lease, holders: holders, fetchers: fetchers, by: position, &step)
        case .release(let id): leases.release(id, by: sender)
        case .granted(let id, let tag):
            // Nobody else has leases to give.
            guard owners(of: id).contains(sender) else { return }
            leases.note(id, holder: tag, for: configuration.leaseTime, now: step.now)
        }
    }

    // MARK: sending

    /// Sends messages, with the own head where the member has not got it yet and with what is to be spread.
    /// - Parameter endpoint: where to; nil = where its record says.
    mutating func send(
        _ messages: [GossipMessage], to position: Int, at endpoint: Endpoint? = nil, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        var bytes: [UInt8] = []
        func flush(_ core: inout GossipCore, _ step: inout Step, _ rng: inout GossipRandom) {
            guard !bytes.isEmpty else { return }
            core.seal(bytes, to: position, at: endpoint, &step, &rng)
            bytes = []
        }
        for message in messages {
            let encoded = message.encoded
            if bytes.count + encoded.count > DatagramHead.messageLimit { flush(&self, &step, &rng) }
            bytes += encoded
        }
        if roster[position].told != log.sequence {
            let head = GossipMessage.head(
                epoch: log.epoch, sequence: log.sequence, hash: log.ids.hash,
                count: UInt32(clamping: log.ids.count)
            ).encoded
            if bytes.count + head.count <= DatagramHead.messageLimit {
                bytes += head
                roster[position].told = log.sequence
            }
        }
        bytes += queue.take(space: DatagramHead.messageLimit - bytes.count)
        if !bytes.isEmpty, bytes.count + configuration.trailer.count <= DatagramHead.messageLimit {
            bytes += configuration.trailer
        }
        flush(&self, &step, &rng)
    }

    /// Sends one datagram of exactly these messages, where the member's record says.
    mutating func sendAlone(
        _ encoded: [UInt8], to position: Int, _ step: inout Step, _ rng: inout GossipRandom
    ) {
        seal(encoded, to: position, at: nil, &step, &rng)
    }

    private mutating func seal(
        _ bytes: [UInt8], to position: Int, at endpoint: Endpoint?, _ step: inout Step,
        _ rng: inout GossipRandom
    ) {
        guard let key = sendKey(to: position) else { return }
        sendCounter += 1
        let random = rng.bytes(16)
        let datagram =
            configuration.sealsDatagrams
            ? key.seal(
                bytes, sender: credentials.tag, boot: record.incarnation.boot, counter: sendCounter,
                random: random)
            : DatagramKey.plain(
                bytes, sender: credentials.tag, boot: record.incarnation.boot, counter: sendCounter,
                random: random)
        step.effects.append(.send(datagram, to: endpoint ?? roster[position].endpoint))
    }

    private mutating func sendKey(to position: Int) -> DatagramKey? {
        keys(of: position, theirs: roster[position].boot)?.send
    }

    private mutating func receiveKey(from position: Int, boot: UInt32) -> DatagramKey? {
        if boot == roster[position].boot { return keys(of: position, theirs: boot)?.receive }
        // A boot that is not proven yet must not push the keys of the current one out.
        return makeKeys(of: position, theirs: boot)?.receive
    }

    private mutating func keys(
        of position: Int, theirs: UInt32
    ) -> (own: UInt32, theirs: UInt32, send: DatagramKey, receive: DatagramKey)? {
        if let keys = roster[position].keys, keys.theirs == theirs, keys.own == record.incarnation.boot {
            return keys
        }
        roster[position].keys = makeKeys(of: position, theirs: theirs)
        return roster[position].keys
    }

    private mutating func makeKeys(
        of position: Int, theirs: UInt32
    ) -> (own: UInt32, theirs: UInt32, send: DatagramKey, receive: DatagramKey)? {
        let own = record.incarnation.boot
        let node = roster[position].node
        if roster[position].shared == nil {
            roster[position].shared =
                configuration.memo?.shared(credentials.key, node)
                ?? credentials.key.sharedSecret(with: node)
        }
        guard let shared = roster[position].shared else { return nil }
        func key(_ sender: NodeID, _ senderBoot: UInt32, _ receiver: NodeID, _ receiverBoot: UInt32)
            -> DatagramKey
        {
            DatagramKey(
                shared: shared, secret: credentials.secret, cluster: credentials.cluster, sender: sender,
                senderBoot: senderBoot, receiver: receiver, receiverBoot: receiverBoot)
        }
        return (own, theirs, key(id, own, node, theirs), key(node, theirs, id, own))
    }
}

extension DatagramKey {
    /// A datagram of the same size that nothing protects, for simulations of very many nodes.
    package static func plain(
        _ messages: [UInt8], sender: NodeTag, boot: UInt32, counter: UInt64, random: [UInt8]
    ) -> [UInt8] {
        var writer = WireWriter(capacity: DatagramHead.overhead + messages.count)
        writer.write(DatagramHead.version)
        writer.write(sender.rawValue)
        writer.write(boot)
        writer.write(counter)
        writer.write(random)
        writer.write(messages)
        writer.write([UInt8](repeating: 0, count: DatagramHead.tagByteCount))
        return writer.bytes
    }
}
