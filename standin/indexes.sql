-- Indexes of the tables that grow with history; the bulk loader makes them after its rows.

CREATE UNIQUE INDEX UQ_Release_Version ON Release (ProjectId, Version);
CREATE INDEX IX_Release_Assembled ON Release (SpaceId, Assembled DESC);
CREATE INDEX IX_Release_Project_Channel ON Release (ProjectId, ChannelId, Assembled DESC);
CREATE INDEX IX_Deployment_Release ON Deployment (ReleaseId);
CREATE INDEX IX_Deployment_Project_Environment ON Deployment (ProjectId, EnvironmentId, Created DESC);
CREATE INDEX IX_Deployment_Created ON Deployment (SpaceId, Created DESC);
CREATE INDEX IX_Deployment_Task ON Deployment (TaskId);
CREATE INDEX IX_ServerTask_QueueTime ON ServerTask (SpaceId, QueueTime DESC);
CREATE INDEX IX_ServerTask_Listing ON ServerTask (State, Name, ProjectId);
CREATE INDEX IX_ServerTask_Active ON ServerTask (Priority DESC, QueueTime) WHERE State IN ('Queued', 'Executing', 'Cancelling');
-- Two tasks of one concurrency tag never run at once, whatever the claiming statement does (octopus-facts §2.2).
CREATE UNIQUE INDEX UQ_ServerTask_RunningTag ON ServerTask (ConcurrencyTag)
    WHERE State IN ('Executing', 'Cancelling') AND Paused <> 'Released';
CREATE UNIQUE INDEX UQ_Event_AutoId ON Event (AutoId);
CREATE INDEX IX_Event_Category ON Event (SpaceId, Category, AutoId DESC);
CREATE INDEX IX_Event_Space ON Event (SpaceId, AutoId DESC);
CREATE INDEX IX_Event_Occurred ON Event (Occurred);
CREATE INDEX IX_EventRelatedDocument ON EventRelatedDocument (RelatedDocumentId, EventAutoId DESC);
CREATE INDEX IX_DeploymentRelatedMachine_Deployment ON DeploymentRelatedMachine (DeploymentId);
CREATE INDEX IX_DeploymentRelatedMachine_Machine ON DeploymentRelatedMachine (MachineId);
CREATE INDEX IX_DeploymentHistory_Completed ON DeploymentHistory (SpaceId, CompletedTime);
